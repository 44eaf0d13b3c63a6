package dev.orderly.cli;

import dev.orderly.lab.scenario.CardPaymentScenario;
import dev.orderly.lab.scenario.ErpCrmScenario;
import dev.orderly.lab.scenario.EvolutionScenario;
import dev.orderly.lab.scenario.FlashSaleScenario;
import dev.orderly.lab.scenario.LogBurstScenario;
import dev.orderly.lab.scenario.OverloadScenario;
import dev.orderly.lab.scenario.RegistrationScenario;
import picocli.CommandLine.Command;

/**
 * {@code ./orderly scenario}: what the system is for, one use at a time, each on a fresh platform that ends
 * with it. Exit code 0 when everything was as it claims, else 1.
 */
@Command(
        name = "scenario",
        description = "Run one use of the system on a fresh platform, show it, and check what it claims.",
        subcommands = {
            CardPaymentScenario.class,
            RegistrationScenario.class,
            FlashSaleScenario.class,
            LogBurstScenario.class,
            OverloadScenario.class,
            ErpCrmScenario.class,
            EvolutionScenario.class
        })
final class ScenarioCommand {
    private ScenarioCommand() {}
}
