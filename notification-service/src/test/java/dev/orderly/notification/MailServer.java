package dev.orderly.notification;

import static io.restassured.RestAssured.given;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.ConnectException;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.regex.Pattern;

/** The mail sink that {@link dev.orderly.testing.RealPlatform} starts, and restarts whenever it is killed. */
final class MailServer {

    private static final Pattern API_PORT = Pattern.compile("-Dgreenmail\\.api\\.port=(\\d+)");

    private MailServer() {}

    record Mail(String messageId, String subject, String text) {}

    /** Received since the last start of the server, which stores nothing on disk. */
    static List<Mail> mailsTo(UUID customer) {
        return mailsTo(customer + "@customers.orderly.example");
    }

    static List<Mail> mailsTo(String address) {
        // After a start, SMTP is available before the HTTP interface is.
        var response = await().ignoreExceptionsMatching(
                        failure -> failure instanceof ConnectException || failure instanceof IllegalStateException)
                .until(
                        () -> given().baseUri("http://127.0.0.1")
                                .port(apiPort())
                                .get("/api/user/{address}/messages", address),
                        Objects::nonNull);
        if (response.statusCode() == 400) {
            return List.of(); // a user exists from the first mail on
        }
        List<Map<String, String>> mails =
                response.then().statusCode(200).extract().jsonPath().getList("");
        return mails.stream()
                .map(mail -> new Mail(mail.get("Message-ID"), mail.get("subject"), mail.get("mimeMessage")))
                .toList();
    }

    static void kill() {
        process().destroyForcibly();
    }

    /** From now on the kernel accepts connections, and the process replies to none. */
    static void freeze() {
        signal("STOP");
    }

    static void thaw() {
        signal("CONT");
    }

    private static void signal(String name) {
        try {
            new ProcessBuilder("kill", "-s", name, String.valueOf(process().pid()))
                    .start()
                    .waitFor();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    private static int apiPort() {
        var port = API_PORT.matcher(process().info().commandLine().orElseThrow());
        if (!port.find()) {
            throw new IllegalStateException("the mail server has no API");
        }
        return Integer.parseInt(port.group(1));
    }

    /** Among the descendants of this process, so that a test can kill no other platform's. */
    private static ProcessHandle process() {
        return ProcessHandle.current()
                .descendants()
                .filter(process -> process.info().command().orElse("").endsWith("java"))
                .filter(process -> process.info().commandLine().orElse("").contains("-Dgreenmail."))
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("there is no mail server"));
    }
}
