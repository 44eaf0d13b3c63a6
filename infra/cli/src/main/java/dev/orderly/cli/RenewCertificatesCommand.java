package dev.orderly.cli;

import dev.orderly.platform.config.Checkout;
import dev.orderly.platform.operations.CertificateRenewal;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code ./orderly renew-certificates}. */
@Command(
        name = "renew-certificates",
        description = "Renew the certificates of what was started with --tls, while it runs.")
final class RenewCertificatesCommand implements Callable<Integer> {
    private static final Duration DEADLINE = Duration.ofSeconds(60);

    @Option(names = "--data", paramLabel = "DIR", description = "State folder. (default: .orderly in the checkout)")
    Path data;

    @Override
    public Integer call() throws InterruptedException {
        CertificateRenewal.renew(Checkout.data(data), DEADLINE);
        System.out.println("renewed; PostgreSQL and the brokers serve the new ones");
        return 0;
    }
}
