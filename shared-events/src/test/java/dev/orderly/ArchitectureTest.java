package dev.orderly;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.belongToAnyOf;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import dev.orderly.events.Event;
import dev.orderly.events.EventCodec;
import dev.orderly.events.EventFormat;
import dev.orderly.events.EventHeaders;
import dev.orderly.events.EventJson;
import dev.orderly.events.Publishers;
import dev.orderly.events.Topic;

/**
 * What is generic knows no domain, and imports go one way: http → database, tracing; messaging →
 * events, http, database, tracing.
 */
@AnalyzeClasses(packages = "dev.orderly", importOptions = DoNotIncludeTests.class)
class ArchitectureTest {

    @ArchTest
    static final ArchRule messaging_knows_no_event_by_name = noClasses()
            .that()
            .resideInAPackage("dev.orderly.messaging")
            .should()
            .dependOnClassesThat(resideInAPackage("dev.orderly.events")
                    .and(not(belongToAnyOf(
                            Event.class,
                            EventCodec.class,
                            EventFormat.class,
                            EventHeaders.class,
                            EventJson.class,
                            Publishers.class,
                            Topic.class))));

    @ArchTest
    static final ArchRule database_and_http_know_neither_events_nor_messaging = noClasses()
            .that()
            .resideInAnyPackage("dev.orderly.database", "dev.orderly.http")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("dev.orderly.events", "dev.orderly.messaging");

    @ArchTest
    static final ArchRule traces_know_nothing_of_what_is_traced = noClasses()
            .that()
            .resideInAPackage("dev.orderly.tracing")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    "dev.orderly.database", "dev.orderly.events", "dev.orderly.http", "dev.orderly.messaging");

    @ArchTest
    static final ArchRule the_database_knows_nothing_of_http = noClasses()
            .that()
            .resideInAPackage("dev.orderly.database")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("dev.orderly.http");

    @ArchTest
    static final ArchRule events_are_plain_java_and_their_formats = classes()
            .that()
            .resideInAPackage("dev.orderly.events")
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage(
                    "java..",
                    "javax.crypto..",
                    "com.fasterxml.jackson..",
                    "org.apache.avro..",
                    "com.google.protobuf..",
                    "dev.orderly.events");
}
