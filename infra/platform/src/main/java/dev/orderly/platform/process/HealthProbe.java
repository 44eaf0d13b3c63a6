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

/** Returns within {@link #TIMEOUT} whether a process is healthy; never throws when it is not. */
@FunctionalInterface
public interface HealthProbe {
    /** Generous: a service that responds slowly, as the machine is overloaded at the start, is ready. */
    Duration TIMEOUT = Duration.ofSeconds(10);

    HttpClient HTTP = HttpClient.newBuilder().connectTimeout(TIMEOUT).build();

    boolean check() throws InterruptedException;

    /** A process accepts connections. */
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

    /** It responds with 200. */
    static HealthProbe http(URI url) {
        return () -> status(url, "") == 200;
    }

    /** The same of one that asks for credentials. */
    static HealthProbe http(URI url, String authorization) {
        return () -> status(url, authorization) == 200;
    }

    /** It does not respond with 503. No response passes: a busy machine must not get its services killed. */
    static HealthProbe notDown(URI url) {
        return () -> status(url, "") != 503;
    }

    private static int status(URI url, String authorization) throws InterruptedException {
        try {
            var request = HttpRequest.newBuilder(url).timeout(TIMEOUT);
            if (!authorization.isEmpty()) {
                request.header("Authorization", authorization);
            }
            return HTTP.send(request.build(), BodyHandlers.discarding()).statusCode();
        } catch (IOException _) {
            return 0;
        }
    }
}
