package dev.orderly.console;

import java.io.IOException;
import java.net.CookieManager;
import java.net.HttpCookie;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.List;
import org.eclipse.microprofile.config.ConfigProvider;

/** A browser, as far as the server can tell. */
final class Visitor {

    private final CookieManager cookies = new CookieManager();
    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .cookieHandler(cookies)
            .build();

    static URI url(String path) {
        int port = ConfigProvider.getConfig().getValue("quarkus.http.test-port", Integer.class);
        return URI.create("http://127.0.0.1:" + port + path);
    }

    HttpResponse<String> get(String path) throws IOException, InterruptedException {
        return send(HttpRequest.newBuilder(url(path)));
    }

    /** As the page sends it. */
    HttpResponse<String> send(String method, String path, String body) throws IOException, InterruptedException {
        return send(HttpRequest.newBuilder(url(path))
                .header("X-Requested-By", "console")
                .header("Content-Type", "application/json")
                .method(method, BodyPublishers.ofString(body)));
    }

    HttpResponse<String> send(HttpRequest.Builder request) throws IOException, InterruptedException {
        return http.send(request.build(), BodyHandlers.ofString());
    }

    /** Logs in on the provider's page. Returns where the browser is in the end. */
    String logIn(String person, String next) throws IOException, InterruptedException {
        var authorize = Visitor.url("/login?next=" + next);
        while (!authorize.getPath().equals("/authorize")) {
            authorize = authorize.resolve(send(HttpRequest.newBuilder(authorize))
                    .headers()
                    .firstValue("Location")
                    .orElseThrow());
        }
        var back = send(HttpRequest.newBuilder(authorize.resolve("/authorize"))
                .POST(BodyPublishers.ofString(authorize.getRawQuery() + "&subject=" + person)));
        var location = back.headers().firstValue("Location").orElseThrow();
        while (location.contains("/login")) {
            var response = send(HttpRequest.newBuilder(url("/").resolve(location)));
            location = response.headers()
                    .firstValue("Location")
                    .orElseThrow(() -> new AssertionError(response.statusCode() + " " + response.body()));
        }
        return location;
    }

    HttpClient http() {
        return http;
    }

    List<HttpCookie> cookies() {
        return cookies.getCookieStore().getCookies();
    }
}
