package dev.orderly.console.config;

import io.smallrye.config.ConfigMapping;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Where the parts of the system are. What is absent, the page does without. */
@ConfigMapping(prefix = "console")
public interface ConsoleConfig {

    /** Names by which browsers reach this, besides addresses and names without a dot. */
    Optional<List<String>> hosts();

    /** The services' interfaces, by the names they have in the paths of this one. */
    Map<String, URI> services();

    /** Of the schemas of events that are not JSON. */
    Optional<URI> registry();

    Optional<String> registryUser();

    Optional<String> registryPassword();

    Optional<URI> mailApi();

    Optional<URI> sms();

    /** One, or two while one replaces the other: the first is sent. */
    Optional<List<String>> smsApiKey();

    /** Where a browser finds a trace, with its id behind it. */
    Optional<URI> traces();

    /** The state directory of the launcher that has started this, which says that it is a demo. */
    Optional<Path> state();

    Optional<Path> checkout();

    URI tokenEndpoint();

    /** Of the simulated identity provider: gets tokens of customers who place the load. */
    Optional<String> identitySecret();

    Optional<URI> gateway();

    /** One or two, likewise. */
    Optional<List<String>> gatewayApiKey();

    Database database();

    /** Roles that read what a demo shows of the services' databases. */
    interface Database {
        String host();

        int port();

        /** With encrypted connections: what is demanded of the server. */
        Optional<String> sslMode();

        /** The certificate of the authority that the server's must be of. */
        Optional<String> sslRootCert();

        Passwords passwords();
    }

    /** Of the role {@code <database>_console}. */
    interface Passwords {
        Optional<String> orders();

        Optional<String> inventory();

        Optional<String> payments();

        Optional<String> notifications();
    }
}
