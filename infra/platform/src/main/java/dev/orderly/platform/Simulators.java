package dev.orderly.platform;

import static java.util.Map.entry;

import dev.orderly.platform.config.Checkout;
import dev.orderly.platform.config.JvmOptions;
import dev.orderly.platform.config.PlatformSettings;
import dev.orderly.platform.config.Secrets;
import dev.orderly.platform.process.HealthProbe;
import dev.orderly.platform.process.ManagedProcess;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** The world outside, in one process: payment gateway, SMS provider, mail server and identity provider. */
public final class Simulators {
    public static final String NAME = "simulators";
    private static final Duration GRACE = Duration.ofSeconds(1);

    private final PlatformSettings settings;
    private final Secrets secrets;
    private final List<ServiceDefinition> services;

    Simulators(PlatformSettings settings, Secrets secrets, List<ServiceDefinition> services) {
        this.settings = settings;
        this.secrets = secrets;
        this.services = services;
    }

    ManagedProcess part() {
        var ports = settings.ports();
        var command = JvmOptions.SIMULATORS.command(settings, JvmOptions.aotCache(NAME));
        command.addAll(List.of("-cp", Checkout.classPath("simulators"), "dev.orderly.simulator.Simulators"));
        return new ManagedProcess(
                NAME,
                ports.gateway(),
                command,
                Map.ofEntries(
                        entry("SIMULATORS_HOST", PlatformSettings.HOST),
                        entry("SMTP_PORT", String.valueOf(ports.smtp())),
                        entry("MAIL_API_PORT", String.valueOf(ports.mailApi())),
                        entry("SMS_PORT", String.valueOf(ports.sms())),
                        entry("SMS_API_KEY", secrets.of(Secrets.SMS_API_KEY)),
                        entry("GATEWAY_PORT", String.valueOf(ports.gateway())),
                        entry(
                                "GATEWAY_JOURNAL",
                                settings.data().resolve("gateway/journal.jsonl").toString()),
                        entry("GATEWAY_API_KEY", secrets.of(Secrets.GATEWAY_API_KEY)),
                        entry("GATEWAY_CALLBACK_SECRETS", secrets.of(Secrets.GATEWAY_CALLBACK_SECRETS)),
                        entry(
                                "GATEWAY_CALLBACK_URL",
                                ServiceDefinition.named(services, ServiceDefinition.PAYMENTS)
                                        .url("/payments/callbacks")
                                        .toString()),
                        entry("IDENTITY_PORT", String.valueOf(ports.identity())),
                        entry("IDENTITY_ISSUER", PlatformSettings.ISSUER),
                        entry("IDENTITY_REDIRECT_URIS", Console.redirectUris(ports)),
                        entry(
                                "IDENTITY_KEY_FILE",
                                settings.data().resolve("identity/key.json").toString()),
                        entry("IDENTITY_CLIENT_SECRET", secrets.of(Secrets.IDENTITY_CLIENT_SECRET))),
                ManagedProcess.Stop.term(settings.grace(JvmOptions.SIMULATORS, GRACE)),
                HealthProbe.http(URI.create("http://%s:%d/health".formatted(PlatformSettings.HOST, ports.gateway()))),
                ManagedProcess.ALWAYS);
    }
}
