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
        packages = {"dev.orderly.notification", "dev.orderly.clientlog", "dev.orderly.noncore"},
        importOptions = DoNotIncludeTests.class)
class ArchitectureTest {

    private static final DescribedPredicate<JavaClass> DOMAIN =
            belongToAnyOf(Message.class, DeliveryAttempt.class, Notification.class);

    @ArchTest
    static final ArchRule the_domain_depends_on_the_events_only = classes()
            .that(DOMAIN)
            .should()
            .onlyDependOnClassesThat(resideInAnyPackage("java..", "dev.orderly.events..")
                    .or(DOMAIN.onResultOf(JavaClass::getBaseComponentType)));

    @ArchTest
    static final ArchRule only_the_handlers_depend_on_kafka = noClasses()
            .that()
            .resideInAPackage("dev.orderly.notification")
            .and()
            .doNotBelongToAnyOf(OrderEventHandler.class, CustomerEventHandler.class)
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("org.apache.kafka..", "org.eclipse.microprofile.reactive..");

    @ArchTest
    static final ArchRule only_the_smtp_client_depends_on_jakarta_mail = noClasses()
            .that()
            .doNotBelongToAnyOf(SmtpClient.class)
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("jakarta.mail..");

    @ArchTest
    static final ArchRule only_the_log_writer_depends_on_sql = noClasses()
            .that()
            .resideInAPackage("dev.orderly.clientlog")
            .and()
            .haveNameNotMatching(".*LogWriter(\\$.*)?")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("java.sql..", "org.postgresql..");

    @ArchTest
    static final ArchRule notifications_depend_on_no_other_service = noClasses()
            .that()
            .resideInAPackage("dev.orderly.notification")
            .should()
            .dependOnClassesThat(areOtherThan("notification|noncore|events|messaging|database|http|tracing"));

    @ArchTest
    static final ArchRule client_logs_are_independent_of_notifications = noClasses()
            .that()
            .resideInAPackage("dev.orderly.clientlog")
            .should()
            .dependOnClassesThat(areOtherThan("clientlog|noncore|messaging|database|http"));

    private static DescribedPredicate<JavaClass> areOtherThan(String packages) {
        return describe(
                "are other than " + packages,
                type -> type.getPackageName().startsWith("dev.orderly.")
                        && !type.getPackageName().matches("dev\\.orderly\\.(" + packages + ")"));
    }
}
