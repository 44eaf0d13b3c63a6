package dev.orderly.notification;

import static io.restassured.RestAssured.given;
import static org.awaitility.Awaitility.await;

import java.net.ConnectException;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import org.eclipse.microprofile.config.ConfigProvider;

/** The mail simulator that {@link dev.orderly.testing.RealPlatform} starts, and restarts after a kill. */
final class MailServer {

    private MailServer() {}

    record Mail(String messageId, String subject, String text) {}

    /** Received since the last start of the server, which stores nothing on disk. */
    static List<Mail> mailsTo(UUID customer) {
        return mailsTo(customer + "@customers.orderly.example");
    }

    static List<Mail> mailsTo(String address) {
        var response = await().ignoreExceptionsMatching(failure -> failure instanceof ConnectException) // restarting
                .until(
                        () -> given().baseUri("http://127.0.0.1")
                                .port(apiPort())
                                .get("/api/user/{address}/messages", address),
                        Objects::nonNull);
        List<Map<String, String>> mails =
                response.then().statusCode(200).extract().jsonPath().getList("");
        return mails.stream()
                .map(mail -> new Mail(mail.get("Message-ID"), mail.get("subject"), mail.get("mimeMessage")))
                .toList();
    }

    static void kill() {
        process().ifPresent(ProcessHandle::destroyForcibly);
    }

    /** From now on it accepts connections and replies to none. */
    static void freeze() {
        hang(600);
    }

    static void thaw() {
        hang(0);
    }

    private static void hang(int seconds) {
        given().baseUri("http://127.0.0.1")
                .port(apiPort())
                .body("{\"seconds\":" + seconds + "}")
                .put("/api/fault")
                .then()
                .statusCode(200);
    }

    private static int apiPort() {
        return ConfigProvider.getConfig().getValue("orderly.test.mail-api-port", Integer.class);
    }

    /** Among the descendants of this process, so that a test can kill no other platform's. */
    private static Optional<ProcessHandle> process() {
        return ProcessHandle.current()
                .descendants()
                .filter(process -> process.info().command().orElse("").endsWith("java"))
                .filter(process -> process.info().commandLine().orElse("").contains("dev.orderly.simulator.Simulators"))
                .findFirst();
    }
}
