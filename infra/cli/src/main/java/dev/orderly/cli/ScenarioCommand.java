package dev.orderly.cli;

import dev.orderly.lab.scenario.CardPaymentScenario;
import dev.orderly.lab.scenario.FlashSaleScenario;
import dev.orderly.lab.scenario.LogBurstScenario;
import dev.orderly.lab.scenario.RegistrationScenario;
import dev.orderly.platform.Platform;
import dev.orderly.platform.StartCommand;
import dev.orderly.platform.config.Checkout;
import dev.orderly.platform.config.PlatformSettings;
import java.nio.file.Path;
import java.time.Duration;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * {@code ./orderly scenario}: what the system is for, one use at a time, each on a platform of its own that is fresh and
 * goes with it. Exit code 0 when everything was as it claims, else 1.
 */
@Command(
        name = "scenario",
        description = "Run one use of the system on a fresh platform, show it, and check what it claims.",
        subcommands = {
            ScenarioCommand.CardPayment.class,
            ScenarioCommand.Registration.class,
            ScenarioCommand.FlashSale.class,
            ScenarioCommand.LogBurst.class
        })
final class ScenarioCommand {
    private ScenarioCommand() {}

    /** One of them. */
    abstract static class Scenario extends StartCommand {
        /** Runs it, prints what happened, and says whether all was right. */
        abstract boolean run(PlatformSettings settings, Platform platform) throws InterruptedException;

        @Override
        public final Integer call() throws InterruptedException {
            fresh = true;
            if (data == null) {
                data = Path.of(Checkout.path().toString(), ".orderly-scenario");
            }
            return super.call();
        }

        @Override
        protected final Platform.Scope scope() {
            return Platform.Scope.ALL;
        }

        @Override
        protected final boolean endsWhenStopped() {
            return false;
        }

        @Override
        protected final int whenReady(PlatformSettings settings, Platform platform, String elapsed)
                throws InterruptedException {
            System.out.println("everything is ready after " + elapsed);
            return run(settings, platform) ? 0 : 1;
        }
    }

    /** {@code card-payment}. */
    @Command(
            name = "card-payment",
            description =
                    "Pay by card with a payment gateway that declines, dawdles, fails, repeats itself and is impersonated.")
    static final class CardPayment extends Scenario {
        @Override
        boolean run(PlatformSettings settings, Platform platform) throws InterruptedException {
            return new CardPaymentScenario(settings, platform.services(), System.out).run();
        }
    }

    /** {@code flash-sale}. */
    @Command(
            name = "flash-sale",
            description = "Many buyers at once for few units: none is sold twice, whoever came first is first.")
    static final class FlashSale extends Scenario {
        @Option(
                names = "--buyers",
                paramLabel = "N",
                defaultValue = "20000",
                description = "(default: ${DEFAULT-VALUE})")
        int buyers;

        @Option(names = "--stock", paramLabel = "N", defaultValue = "500", description = "(default: ${DEFAULT-VALUE})")
        int stock;

        @Option(
                names = "--runs",
                paramLabel = "N",
                defaultValue = "1",
                description = "Sales, one after the other. (default: ${DEFAULT-VALUE})")
        int runs;

        @Option(
                names = "--rehearsal",
                paramLabel = "N",
                defaultValue = "5000",
                description =
                        "Buyers of a sale before the first: what is compiled then is not compiled in the rush. 0 for none."
                                + " (default: ${DEFAULT-VALUE})")
        int rehearsal;

        @Option(names = "--kill-inventory", description = "Kill inventory-service at random moments of each sale.")
        boolean kill;

        @Override
        boolean run(PlatformSettings settings, Platform platform) throws InterruptedException {
            try (var sales = new FlashSaleScenario(settings, platform.services(), System.out)) {
                boolean right = rehearsal == 0 || sales.run(0, rehearsal, Math.ceilDiv(rehearsal, 40), false);
                for (int run = 1; run <= runs; run++) {
                    right &= sales.run(run, buyers, stock, kill);
                }
                return right;
            }
        }
    }

    /** {@code log-burst}. */
    @Command(
            name = "log-burst",
            description =
                    "Clients log more than can be taken, while others order: each line that was taken is kept once,"
                            + " and orders are as fast as without.")
    static final class LogBurst extends Scenario {
        @Option(
                names = "--rate",
                paramLabel = "N",
                defaultValue = "50",
                description = "Orders/s. (default: ${DEFAULT-VALUE})")
        int rate;

        @Option(
                names = "--seconds",
                paramLabel = "N",
                defaultValue = "10",
                description = "Of each phase, with and without logs. (default: ${DEFAULT-VALUE})")
        int seconds;

        @Option(
                names = "--rounds",
                paramLabel = "N",
                defaultValue = "4",
                description = "Of one phase without and one with. (default: ${DEFAULT-VALUE})")
        int rounds;

        @Override
        boolean run(PlatformSettings settings, Platform platform) throws InterruptedException {
            try (var burst = new LogBurstScenario(settings, platform.services(), System.out)) {
                return burst.run(rate, Duration.ofSeconds(seconds), rounds);
            }
        }
    }

    /** {@code registration}. */
    @Command(
            name = "registration",
            description = "Register customers, with welcome mail and SMS code; verify them; erase one from everywhere.")
    static final class Registration extends Scenario {
        @Override
        boolean run(PlatformSettings settings, Platform platform) throws InterruptedException {
            return new RegistrationScenario(settings, platform.services(), System.out).run();
        }
    }
}
