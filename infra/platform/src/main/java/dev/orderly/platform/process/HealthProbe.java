package dev.orderly.platform.process;

import dev.orderly.platform.config.PlatformSettings;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;

/** A question to a part, answered within {@link #TIMEOUT}: "no" is an answer as good as "yes" and never an exception. */
@FunctionalInterface
public interface HealthProbe {
    /** A late yes is a yes: a service that starts into a crowd, on a machine that has no time for it, is ready for all that. */
    Duration TIMEOUT = Duration.ofSeconds(10);

    HttpClient HTTP = HttpClient.newBuilder().connectTimeout(TIMEOUT).build();

    boolean yes() throws InterruptedException;

    /** Somebody accepts connections. */
    static HealthProbe tcp(int port) {
        return () -> {
            try (var socket = new Socket()) {
                socket.connect(new InetSocketAddress(PlatformSettings.HOST, port), (int) TIMEOUT.toMillis());
                return true;
            } catch (IOException _) {
                return false;
            }
        };
    }

    /** Answers 200. */
    static HealthProbe http(URI url) {
        return () -> status(url) == 200;
    }

    /** Does not say of itself that it is down. No answer is no such statement: a busy machine must not kill its services. */
    static HealthProbe notDown(URI url) {
        return () -> status(url) != 503;
    }

    private static int status(URI url) throws InterruptedException {
        try {
            var request = HttpRequest.newBuilder(url).timeout(TIMEOUT).build();
            return HTTP.send(request, BodyHandlers.discarding()).statusCode();
        } catch (IOException _) {
            return 0;
        }
    }
}
