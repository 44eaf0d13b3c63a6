package dev.orderly.console;

import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.syntax.ArchRuleDefinition;

/** Imports run one way: the console knows the system by its interfaces, and no class of it. */
@AnalyzeClasses(packages = "dev.orderly", importOptions = DoNotIncludeTests.class)
class ArchitectureTest {

    @ArchTest
    static final ArchRule the_console_knows_of_other_modules_the_events_alone = ArchRuleDefinition.noClasses()
            .that()
            .resideInAPackage("dev.orderly.console..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    "dev.orderly.messaging..",
                    "dev.orderly.http..",
                    "dev.orderly.database..",
                    "dev.orderly.simulator..",
                    "dev.orderly.platform..");

    @ArchTest
    static final ArchRule packages_have_no_cycles =
            slices().matching("dev.orderly.console.(*)..").should().beFreeOfCycles();
}
