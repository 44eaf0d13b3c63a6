package dev.orderly.platform.config;

import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Properties;
import java.util.stream.Collectors;

/**
 * The passwords of database roles and of users of the brokers, and the keys that services and simulators
 * share: random, generated once, kept in {@code secrets.properties} (mode 0600) for as long as the data.
 * Each process gets those it needs, and no others. In containers {@code infra/containers/secrets.sh} does the
 * same.
 */
public final class Secrets {
    private static final String ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    private static final int LENGTH = 32; // 190 bits

    /** PostgreSQL's superuser. */
    public static final String SUPERUSER = "postgres";

    /** The user of PostgreSQL that reads its statistics and nothing else. */
    public static final String MONITOR = "monitor";

    /** That of the one user of Connect's REST interface. */
    public static final String CONNECT = "connect";

    /** The schema registry's user of PostgreSQL. */
    public static final String REGISTRY = "registry";

    /** That of the one user of the schema registry's interface. */
    public static final String REGISTRY_CLIENT = "registry_client";

    /** The bearer token of payment-service at the payment gateway. */
    public static final String GATEWAY_API_KEY = "gateway_api_key";
    /** Two: callbacks are signed with the first, and accepted with either, so that one can be replaced. */
    public static final String GATEWAY_CALLBACK_SECRETS = "gateway_callback_secrets";
    /** The bearer token of notification-service at the SMS provider. */
    public static final String SMS_API_KEY = "sms_api_key";
    /** Of whom the simulated identity provider issues tokens to. */
    public static final String IDENTITY_CLIENT_SECRET = "identity_client_secret";
    /** The key that the console encrypts its sessions with, so that they outlive its process. */
    public static final String CONSOLE_SESSION_KEY = "console_session_key";
    /** The key that order-service and notification-service derive verification codes from. */
    static final String VERIFICATION_KEY = "verification_key";

    private final Properties passwords;
    private final Certificates certificates;

    /** The name of the password of a user of the brokers. */
    public static String ofKafkaUser(String user) {
        return "kafka_" + user;
    }

    private Secrets(Properties passwords, Certificates certificates) {
        this.passwords = passwords;
        this.certificates = certificates;
    }

    public static Path file(Path data) {
        return data.resolve("secrets.properties");
    }

    /** The stored secrets, with new ones for the roles that have none yet. */
    public static Secrets of(Path data, Collection<String> roles) {
        Path file = file(data);
        var passwords = new Properties();
        try {
            if (Files.exists(file)) {
                try (var reader = Files.newBufferedReader(file)) {
                    passwords.load(reader);
                }
            }
            var random = new SecureRandom();
            boolean added = false;
            var names = new ArrayList<>(roles);
            names.addAll(List.of(
                    CONNECT,
                    REGISTRY,
                    REGISTRY_CLIENT,
                    GATEWAY_API_KEY,
                    SMS_API_KEY,
                    IDENTITY_CLIENT_SECRET,
                    VERIFICATION_KEY,
                    CONSOLE_SESSION_KEY));
            for (String role : names) {
                added |= passwords.putIfAbsent(role, password(random)) == null;
            }
            var callbackSecrets = password(random) + "," + password(random);
            added |= passwords.putIfAbsent(GATEWAY_CALLBACK_SECRETS, callbackSecrets) == null;
            if (added) {
                var text = new StringWriter();
                passwords.store(text, null);
                writePrivately(file, text.toString());
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot keep passwords in " + file, e);
        }
        return new Secrets(passwords, Certificates.in(data));
    }

    /** Of a container. */
    public static Secrets ofEnvironment(Collection<String> roles) {
        var passwords = new Properties();
        passwords.setProperty(CONNECT, variable(variableOf(CONNECT)));
        roles.forEach(role -> passwords.setProperty(role, variable(variableOf(role))));
        return new Secrets(passwords, Certificates.ofContainer());
    }

    /** Where a container has the password of a role: {@code ORDERS_APP_PASSWORD} is that of orders_app. */
    public static String variableOf(String role) {
        return role.toUpperCase(Locale.ROOT).replace('-', '_') + "_PASSWORD";
    }

    public static String variable(String name) {
        String value = System.getenv(name);
        if (value == null || value.isBlank()) {
            throw new CommandFailedException("the environment has no " + name);
        }
        if (value.contains("'")) {
            throw new CommandFailedException(name + " must not contain a quotation mark: it is put into SQL");
        }
        return value;
    }

    public String of(String role) {
        String password = passwords.getProperty(role);
        if (password == null) {
            throw new IllegalArgumentException("no password for role " + role);
        }
        return password;
    }

    public Certificates certificates() {
        return certificates;
    }

    private static String password(SecureRandom random) {
        return random.ints(LENGTH, 0, ALPHABET.length())
                .mapToObj(i -> ALPHABET.substring(i, i + 1))
                .collect(Collectors.joining());
    }

    /**
     * Replaces the file as a whole, whenever the power fails: on a full disk the former one stays. No other
     * user can read it at any moment.
     */
    public static void writePrivately(Path file, String text) {
        try {
            Path unfinished = Files.createTempFile(
                    file.getParent(),
                    file.getFileName().toString(),
                    ".new",
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
            try (var channel = FileChannel.open(unfinished, StandardOpenOption.WRITE)) {
                var bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
                while (bytes.hasRemaining()) {
                    channel.write(bytes);
                }
                channel.force(true);
                Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE);
            } finally {
                Files.deleteIfExists(unfinished); // it is there only if something failed
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + file, e);
        }
    }
}
