package dev.orderly.platform.kafka;

import dev.orderly.platform.config.Certificates;
import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.platform.config.Secrets;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/** A user of the brokers ({@code infra/kafka/users.json}) with its password, as clients need them. */
public record KafkaLogin(String user, String password) {
    /** May do everything. */
    public static final String ADMIN = "admin";
    /** May follow the events of orders. */
    public static final String READER = "reader";

    static final String BROKER = "broker";

    private static final String LOGIN_MODULE =
            "org.apache.kafka.common.security.%sLoginModule required" + " username=\"%s\" password=\"%s\"";

    /** @throws CommandFailedException if settings of Kafka clients could not hold the password */
    public KafkaLogin {
        if (password.contains("\"") || password.contains("\\")) {
            throw new CommandFailedException("the password of " + user
                    + " at the brokers must have neither quotation marks nor backslashes: it is put into a setting");
        }
    }

    public static KafkaLogin of(Secrets secrets, String user) {
        return new KafkaLogin(user, secrets.of(Secrets.ofKafkaUser(user)));
    }

    /** The name under which {@link Secrets} keeps the password of the relay of a database. */
    public static String secretOfRelay(String database) {
        return Secrets.ofKafkaUser("relay-" + database);
    }

    /** Without the password: it may get into a log. */
    @Override
    public String toString() {
        return user;
    }

    /** What a client logs in with, by SCRAM. */
    public String jaasConfig() {
        return LOGIN_MODULE.formatted("scram.Scram", user, password) + ";";
    }

    /** The settings of a client, beside {@code bootstrap.servers}. */
    public Map<String, String> settings(Certificates certificates) {
        return settings(certificates, "SCRAM-SHA-512", jaasConfig());
    }

    /** The same for the brokers' internal listener, where the password is sent as it is. */
    public Map<String, String> internalSettings(Certificates certificates) {
        return settings(certificates, "PLAIN", LOGIN_MODULE.formatted("plain.Plain", user, password) + ";");
    }

    private Map<String, String> settings(Certificates certificates, String mechanism, String jaasConfig) {
        var settings = new HashMap<>(certificates.kafka(user));
        settings.put("sasl.mechanism", mechanism);
        settings.put("sasl.jaas.config", jaasConfig);
        return settings;
    }

    /** What a broker logs in with by PLAIN as this user, and whom it lets in. */
    String internalServer(KafkaLogin... clients) {
        var config = new StringBuilder(LOGIN_MODULE.formatted("plain.Plain", user, password));
        for (var client : clients) {
            config.append(" user_%s=\"%s\"".formatted(client.user(), client.password()));
        }
        return config.append(';').toString();
    }

    /** The environment of a service, or of any other client. */
    public Map<String, String> environment(String bootstrapServers, Certificates certificates) {
        var environment = new LinkedHashMap<String, String>();
        environment.put("KAFKA_BOOTSTRAP_SERVERS", bootstrapServers);
        certificates
                .kafka(user)
                .forEach((name, value) ->
                        environment.put("KAFKA_" + name.toUpperCase(Locale.ROOT).replace('.', '_'), value));
        environment.put("KAFKA_USER", user);
        environment.put("KAFKA_PASSWORD", password);
        return environment;
    }
}
