package dev.orderly.platform.config;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Properties;
import java.util.regex.Pattern;

/**
 * The variables of {@code docker-compose.yml}: of the environment, then of {@code .env}, then their defaults.
 */
public final class ComposeSettings {
    private ComposeSettings() {}

    /** A variable as {@code docker-compose up} had it, if it was run with our environment. */
    public static String variable(String name) {
        Path checkout = Checkout.path();
        try {
            var chosen = new Properties();
            if (Files.exists(checkout.resolve(".env"))) {
                try (var reader = Files.newBufferedReader(checkout.resolve(".env"))) {
                    chosen.load(reader);
                }
            }
            String value = System.getenv().getOrDefault(name, chosen.getProperty(name, ""));
            if (!value.isEmpty()) {
                return value;
            }
            Path file = checkout.resolve("docker-compose.yml");
            var fallback = Pattern.compile("\\$\\{" + name + ":-([^}]*)}").matcher(Files.readString(file));
            if (!fallback.find()) {
                throw new CommandFailedException(file + " has no variable " + name);
            }
            return fallback.group(1);
        } catch (IOException e) {
            throw new CommandFailedException("cannot read " + name + " for docker-compose.yml: " + e, e);
        }
    }

    /** Where a part listens on this machine: that of {@code order-service} is {@code ORDER_PORT}. */
    public static int port(String part) {
        String name = part.replace("-service", "").replace('-', '_').toUpperCase(Locale.ROOT) + "_PORT";
        String value = variable(name);
        try {
            return Integer.parseInt(value);
        } catch (NumberFormatException e) {
            throw new CommandFailedException(name + " is no port: " + value, e);
        }
    }

    public static PlatformSettings.Ports ports() {
        return new PlatformSettings.Ports(
                port("postgres"),
                port("kafka-1"),
                0,
                port("connect"),
                port("smtp"),
                port("mail-api"),
                port("sms"),
                port("gateway"),
                port("identity"),
                port("order-service"));
    }
}
