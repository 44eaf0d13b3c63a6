package dev.orderly.notification;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.belongToAnyOf;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

@AnalyzeClasses(
        packages = {"dev.orderly.notification", "dev.orderly.clientlog"},
        importOptions = DoNotIncludeTests.class)
class ArchitectureTest {

    private static final DescribedPredicate<JavaClass> DOMAIN =
            belongToAnyOf(Message.class, DeliveryAttempt.class, Notification.class);

    @ArchTest
    static final ArchRule the_domain_knows_nothing_but_the_events = classes()
            .that(DOMAIN)
            .should()
            .onlyDependOnClassesThat(resideInAnyPackage("java..", "dev.orderly.events..")
                    .or(DOMAIN.onResultOf(JavaClass::getBaseComponentType)));

    @ArchTest
    static final ArchRule only_the_notifiers_know_that_there_is_kafka = noClasses()
            .that()
            .resideInAPackage("dev.orderly.notification")
            .and()
            .doNotBelongToAnyOf(OrderEventHandler.class, CustomerEventHandler.class)
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("org.apache.kafka..", "org.eclipse.microprofile.reactive..");

    @ArchTest
    static final ArchRule only_smtp_knows_the_mail_client = noClasses()
            .that()
            .doNotBelongToAnyOf(SmtpClient.class)
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("jakarta.mail..");

    @ArchTest
    static final ArchRule only_the_sink_of_the_log_knows_how_it_is_kept = noClasses()
            .that()
            .resideInAPackage("dev.orderly.clientlog")
            .and()
            .haveNameNotMatching(".*LogWriter(\\$.*)?")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("java.sql..", "org.postgresql..");

    @ArchTest
    static final ArchRule no_other_service_is_known = noClasses()
            .that()
            .resideInAPackage("dev.orderly.notification")
            .should()
            .dependOnClassesThat(areOtherThan("notification|events|messaging|database|http"));

    @ArchTest
    static final ArchRule the_log_knows_nothing_of_what_else_is_here = noClasses()
            .that()
            .resideInAPackage("dev.orderly.clientlog")
            .should()
            .dependOnClassesThat(areOtherThan("clientlog|messaging|database|http"));

    private static DescribedPredicate<JavaClass> areOtherThan(String packages) {
        return describe(
                "are other than " + packages,
                type -> type.getPackageName().startsWith("dev.orderly.")
                        && !type.getPackageName().matches("dev\\.orderly\\.(" + packages + ")"));
    }
}
