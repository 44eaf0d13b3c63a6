package dev.orderly.simulator;

import dev.orderly.simulator.gateway.GatewayServer;
import dev.orderly.simulator.identity.IdentityProvider;
import dev.orderly.simulator.mail.MailServer;
import dev.orderly.simulator.sms.SmsServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;

/** Starts all of them, the gateway last: its {@code GET /health} answers for the process. */
public final class Simulators {

    private Simulators() {}

    /** All configuration comes from the environment. */
    public static void main(String[] arguments) {
        try {
            var host = InetAddress.getByName(variable("SIMULATORS_HOST"));
            new MailServer(host, port("SMTP_PORT"), port("MAIL_API_PORT"));
            new IdentityProvider(
                    new InetSocketAddress(host, port("IDENTITY_PORT")),
                    variable("IDENTITY_ISSUER"),
                    variable("IDENTITY_CLIENT_SECRET"),
                    Set.of(variable("IDENTITY_REDIRECT_URIS").split(",")),
                    Path.of(variable("IDENTITY_KEY_FILE")));
            new SmsServer(new InetSocketAddress(host, port("SMS_PORT")), variable("SMS_API_KEY"));
            new GatewayServer(
                    new InetSocketAddress(host, port("GATEWAY_PORT")),
                    Path.of(variable("GATEWAY_JOURNAL")),
                    variable("GATEWAY_API_KEY"),
                    URI.create(variable("GATEWAY_CALLBACK_URL")),
                    List.of(variable("GATEWAY_CALLBACK_SECRETS").split(",")));
            System.out.println("the simulators listen on " + host);
        } catch (IOException | RuntimeException e) {
            System.getLogger(Simulators.class.getName()).log(System.Logger.Level.ERROR, "cannot start", e);
            System.exit(1); // those that have started would keep the process alive
        }
    }

    private static int port(String name) {
        return Integer.parseInt(variable(name));
    }

    private static String variable(String name) {
        var value = System.getenv(name);
        if (value == null || value.isEmpty()) {
            throw new IllegalArgumentException("the environment has no " + name);
        }
        return value;
    }
}
