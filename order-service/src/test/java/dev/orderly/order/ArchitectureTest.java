package dev.orderly.order;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

@AnalyzeClasses(packages = "dev.orderly", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {

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
    static final ArchRule the_read_side_knows_nothing_of_the_command_side = noClasses()
            .that()
            .resideInAPackage("dev.orderly.order.view")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("dev.orderly.order");

    @ArchTest
    static final ArchRule the_command_side_knows_nothing_of_the_read_side = noClasses()
            .that()
            .resideInAPackage("dev.orderly.order")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("dev.orderly.order.view");

    @ArchTest
    static final ArchRule only_what_reads_or_writes_topics_meets_kafka = noClasses()
            .that()
            .resideInAPackage("dev.orderly.order..")
            .and()
            .haveNameNotMatching(
                    ".*\\.(OrderSaga|OrderProjection|OrderViewRebuild|ProjectionLag|FlashSaleQueue|FlashSaleConsumer)(\\$.*)?")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("org.apache.kafka..", "org.eclipse.microprofile.reactive..");

    @ArchTest
    static final ArchRule a_service_knows_no_other = noClasses()
            .that()
            .resideInAPackage("dev.orderly.order..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("dev.orderly.inventory..", "dev.orderly.payment..", "dev.orderly.notification..");
}
