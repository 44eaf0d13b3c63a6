package dev.orderly.platform;

import java.nio.file.Path;
import picocli.CommandLine.Command;

/**
 * {@code ./orderly scenario}: what the system is for, one use at a time, each on a platform of its own that is fresh and
 * goes with it. Exit code 0 when everything was as it claims, else 1.
 */
@Command(
        name = "scenario",
        description = "Run one use of the system on a fresh platform, show it, and check what it claims.",
        subcommands = {Scenarios.CardPayment.class})
final class Scenarios {
    private Scenarios() {}

    /** One of them. */
    abstract static class Scenario extends LaunchCommands.Launch {
        /** Runs it, prints what happened, and says whether all was right. */
        abstract boolean run(Settings settings, Platform platform) throws InterruptedException;

        @Override
        public final Integer call() throws InterruptedException {
            fresh = true;
            if (data == null) {
                data = Path.of(Main.checkout().toString(), ".orderly-scenario");
            }
            return super.call();
        }

        @Override
        final Platform.Scope scope() {
            return Platform.Scope.ALL;
        }

        @Override
        final boolean endsWhenStopped() {
            return false;
        }

        @Override
        final int whenReady(Settings settings, Platform platform, String elapsed) throws InterruptedException {
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
        boolean run(Settings settings, Platform platform) throws InterruptedException {
            return new CardPayments(settings, platform.services(), System.out).run();
        }
    }
}
