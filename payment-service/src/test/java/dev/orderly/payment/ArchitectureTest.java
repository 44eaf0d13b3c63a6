package dev.orderly.payment;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.base.DescribedPredicate.doNot;
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
import java.security.MessageDigest;

@AnalyzeClasses(packages = "dev.orderly.payment", importOptions = DoNotIncludeTests.class)
class ArchitectureTest {

    private static final DescribedPredicate<JavaClass> RULES =
            belongToAnyOf(Payment.class, Transfer.class, Wallet.class, GatewayAttempt.class);

    // The array of an enum's values() is a class of its own.
    private static final DescribedPredicate<JavaClass> RULES_OR_ARRAYS_OF_THEM =
            describe("the rules", type -> RULES.test(type.getBaseComponentType()));

    @ArchTest
    static final ArchRule the_rules_of_payment_are_plain_java = classes()
            .that(RULES)
            .should()
            .onlyDependOnClassesThat(RULES_OR_ARRAYS_OF_THEM.or(resideInAnyPackage("java..", "dev.orderly.events..")));

    @ArchTest
    static final ArchRule only_the_handler_depends_on_kafka = noClasses()
            .that(doNot(belongToAnyOf(PaymentHandler.class)))
            .should()
            .dependOnClassesThat(resideInAnyPackage("org.apache.kafka..", "org.eclipse.microprofile.reactive.."));

    @ArchTest
    static final ArchRule only_the_gateways_client_makes_requests = noClasses()
            .that(doNot(belongToAnyOf(GatewayClient.class)))
            .should()
            .dependOnClassesThat(resideInAnyPackage("java.net.http.."));

    // Any other comparison reveals by its duration how much of a guess was right.
    @ArchTest
    static final ArchRule signatures_are_compared_in_constant_time = classes()
            .that()
            .belongToAnyOf(GatewayCallbackSignatures.class)
            .should()
            .callMethod(MessageDigest.class, "isEqual", byte[].class, byte[].class);

    @ArchTest
    static final ArchRule services_share_nothing_but_shared_events = noClasses()
            .should()
            .dependOnClassesThat(resideInAnyPackage("dev.orderly..")
                    .and(doNot(resideInAnyPackage(
                            "dev.orderly.payment..",
                            "dev.orderly.events..",
                            "dev.orderly.messaging..",
                            "dev.orderly.database..",
                            "dev.orderly.tracing..",
                            "dev.orderly.http.."))));
}
