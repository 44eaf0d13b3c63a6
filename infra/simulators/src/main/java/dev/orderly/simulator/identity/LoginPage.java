package dev.orderly.simulator.identity;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.orderly.simulator.http.JsonServer.Response;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** The page on which one picks who to be. It has no script, and is in no frame of another page. */
final class LoginPage {

    private static final Map<String, String> HEADERS = Map.of(
            "Content-Type", "text/html; charset=utf-8",
            "Cache-Control", "no-store",
            "Referrer-Policy", "no-referrer",
            "Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");

    private final String template = read();

    private static String read() {
        try (var file = LoginPage.class.getResourceAsStream("login.html")) {
            return new String(file.readAllBytes(), UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException("the jar has no login.html", e);
        }
    }

    /** @param request parameters of the authorization request, which the form sends again */
    Response of(Map<String, String> request, List<People.Person> people) {
        var fields = request.entrySet().stream()
                .map(field -> "<input type=\"hidden\" name=\"%s\" value=\"%s\">"
                        .formatted(escaped(field.getKey()), escaped(field.getValue())))
                .collect(Collectors.joining("\n"));
        var buttons = people.stream()
                .map(person -> "<button name=\"subject\" value=\"%1$s\"%3$s><b>%1$s</b> %2$s</button>"
                        .formatted(
                                escaped(person.name()),
                                escaped(String.join(", ", person.roles())),
                                person.name().equals(request.get("login_hint")) ? " autofocus" : ""))
                .collect(Collectors.joining("\n"));
        return html(200, template.replace("<!-- fields -->", fields).replace("<!-- people -->", buttons));
    }

    /** An error that is not sent back to the client: it is not known to be one. */
    static Response error(String why) {
        return html(400, "<!doctype html><html lang=\"en\"><title>Log in</title><p>" + escaped(why));
    }

    private static Response html(int status, String text) {
        var bytes = text.getBytes(UTF_8);
        return new Response(status, bytes.length, out -> out.write(bytes), HEADERS);
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;")
                .replace("'", "&#39;");
    }
}
