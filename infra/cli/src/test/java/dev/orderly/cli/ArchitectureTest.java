package dev.orderly.cli;

import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import dev.orderly.platform.config.Checkout;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * The modules of {@code infra}: each imports only those that are built before it, and its packages likewise.
 */
@AnalyzeClasses(packages = "dev.orderly", importOptions = DoNotIncludeTests.class)
class ArchitectureTest {

    @ArchTest
    static final ArchRule modules_know_only_those_that_are_built_before_them = layeredArchitecture()
            .consideringOnlyDependenciesInAnyPackage("dev.orderly..")
            .layer("simulators")
            .definedBy("dev.orderly.simulator..")
            .layer("platform")
            .definedBy("dev.orderly.platform..")
            .layer("testkit")
            .definedBy("dev.orderly.testkit..")
            .layer("lab")
            .definedBy("dev.orderly.lab..")
            .layer("cli")
            .definedBy("dev.orderly.cli..")
            .whereLayer("simulators")
            .mayNotBeAccessedByAnyLayer()
            .whereLayer("platform")
            .mayOnlyBeAccessedByLayers("testkit", "lab", "cli")
            .whereLayer("testkit")
            .mayOnlyBeAccessedByLayers("lab", "cli")
            .whereLayer("lab")
            .mayOnlyBeAccessedByLayers("cli")
            .whereLayer("cli")
            .mayNotBeAccessedByAnyLayer()
            .ensureAllClassesAreContainedInArchitecture();

    @ArchTest
    static final ArchRule packages_of_the_platform_know_only_those_below_them = layeredArchitecture()
            .consideringOnlyDependenciesInAnyPackage("dev.orderly.platform..")
            .layer("platform")
            .definedBy("dev.orderly.platform")
            .layer("operations")
            .definedBy("dev.orderly.platform.operations")
            .layer("observe")
            .definedBy("dev.orderly.platform.observe")
            .layer("connect")
            .definedBy("dev.orderly.platform.connect")
            .layer("kafka")
            .definedBy("dev.orderly.platform.kafka")
            .layer("postgres")
            .definedBy("dev.orderly.platform.postgres")
            .layer("process")
            .definedBy("dev.orderly.platform.process")
            .layer("config")
            .definedBy("dev.orderly.platform.config")
            .whereLayer("platform")
            .mayNotBeAccessedByAnyLayer()
            .whereLayer("operations")
            .mayOnlyBeAccessedByLayers("platform")
            .whereLayer("observe")
            .mayOnlyBeAccessedByLayers("platform")
            .whereLayer("connect")
            .mayOnlyBeAccessedByLayers("platform", "operations")
            .whereLayer("kafka")
            .mayOnlyBeAccessedByLayers("platform", "operations", "observe", "connect")
            .whereLayer("postgres")
            .mayOnlyBeAccessedByLayers("platform", "operations", "connect")
            .whereLayer("process")
            .mayOnlyBeAccessedByLayers("platform", "operations", "observe", "connect", "kafka", "postgres");

    @ArchTest
    static final ArchRule packages_have_no_cycles =
            slices().matching("dev.orderly.(**)").should().beFreeOfCycles();

    /** Build tools and editors take such a class for a test. */
    @Test
    void no_class_of_the_program_is_named_like_a_test() throws IOException {
        try (var files = Files.walk(Checkout.path())) {
            var named = files.map(file -> Checkout.path().relativize(file).toString())
                    .filter(file -> file.contains("src/main/java/") && file.endsWith("Test.java"))
                    .toList();

            assertThat(named).isEqualTo(List.of());
        }
    }
}
