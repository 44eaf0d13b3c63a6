package dev.orderly;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

@AnalyzeClasses(packages = "dev.orderly", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {

    private static final String[] SERVICE = {
        "dev.orderly.order..", "dev.orderly.flashsale..", "dev.orderly.catalog..", "dev.orderly.customer.."
    };

    @ArchTest
    static final ArchRule an_order_knows_no_messaging = noClasses()
            .that()
            .haveSimpleName("Order")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    "dev.orderly.messaging..",
                    "org.apache.kafka..",
                    "org.eclipse.microprofile..",
                    "java.sql..",
                    "jakarta.ws..");

    @ArchTest
    static final ArchRule features_depend_on_each_other_in_one_direction = layeredArchitecture()
            .consideringOnlyDependenciesInLayers()
            .layer("flashsale")
            .definedBy("dev.orderly.flashsale")
            .layer("order")
            .definedBy("dev.orderly.order")
            .layer("catalog")
            .definedBy("dev.orderly.catalog")
            .layer("customer")
            .definedBy("dev.orderly.customer")
            .layer("rebuild")
            .definedBy("dev.orderly.order.view.rebuild")
            .layer("view")
            .definedBy("dev.orderly.order.view")
            .whereLayer("flashsale")
            .mayOnlyAccessLayers("order")
            .whereLayer("order")
            .mayOnlyAccessLayers("catalog")
            .whereLayer("catalog")
            .mayNotAccessAnyLayer()
            .whereLayer("customer")
            .mayNotAccessAnyLayer()
            .whereLayer("rebuild")
            .mayOnlyAccessLayers("view")
            .whereLayer("view")
            .mayNotAccessAnyLayer();

    @ArchTest
    static final ArchRule only_what_reads_or_writes_topics_meets_kafka = noClasses()
            .that()
            .resideInAnyPackage(SERVICE)
            .and()
            .resideOutsideOfPackage("dev.orderly.order.view.rebuild")
            .and()
            .haveNameNotMatching(".*\\.(OrderSaga|SagaProgress|OrderProjection|ProjectionLag"
                    + "|FlashSaleQueue|FlashSaleConsumer)(\\$.*)?")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("org.apache.kafka..", "org.eclipse.microprofile.reactive..");

    @ArchTest
    static final ArchRule a_service_knows_no_other = noClasses()
            .that()
            .resideInAnyPackage(SERVICE)
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("dev.orderly.inventory..", "dev.orderly.payment..", "dev.orderly.notification..");
}
