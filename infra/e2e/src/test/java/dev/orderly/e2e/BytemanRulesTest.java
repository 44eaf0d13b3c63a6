package dev.orderly.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.orderly.lab.chaos.fault.CrashPoint;
import dev.orderly.lab.chaos.fault.Mutation;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.CodeModel;
import java.lang.classfile.MethodModel;
import java.lang.classfile.instruction.InvokeInstruction;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Crash points and mutations name code of the services by strings, which no compiler checks: a renamed method
 * would only make chaos runs inject less.
 */
class BytemanRulesTest {
    private static final Path CHECKOUT = Path.of(System.getProperty("orderly.checkout"));
    private static final Pattern RULE = Pattern.compile("CLASS (\\S+)\nMETHOD (\\w+).*\n(?:AFTER INVOKE (\\w+))?");
    private static final Pattern REFERENCE = Pattern.compile("(dev\\.orderly\\.[\\w.$]+)\\.(\\w+)");

    private record Rules(String name, String text) {
        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Rules> rules() {
        return Stream.concat(
                        Stream.of(CrashPoint.values()).map(point -> new Rules(point.name(), point.rule(1))),
                        Stream.of(Mutation.values()).map(mutation -> new Rules(mutation.name(), mutation.rules())))
                .filter(rules -> !rules.text.isEmpty());
    }

    @ParameterizedTest
    @MethodSource("rules")
    void every_class_and_method_of_a_rule_exists(Rules rules) {
        assertThat(rules.text).containsPattern(RULE);
        RULE.matcher(rules.text).results().forEach(rule -> {
            var methods = classNamed(rule.group(1), rules).methods().stream()
                    .filter(method -> method.methodName().equalsString(rule.group(2)))
                    .toList();
            assertThat(methods)
                    .as("methods %s.%s of %s", rule.group(1), rule.group(2), rules)
                    .isNotEmpty();
            if (rule.group(3) != null) {
                assertThat(methods)
                        .as("a call of %s in %s", rule.group(3), rules)
                        .anyMatch(method -> calls(method, rule.group(3)));
            }
        });
    }

    @ParameterizedTest
    @MethodSource("rules")
    void every_constant_that_a_rule_returns_exists(Rules rules) {
        var actions = rules.text.lines().filter(line -> line.startsWith("DO ")).toList();
        REFERENCE
                .matcher(String.join("\n", actions))
                .results()
                .forEach(reference -> assertThat(
                                classNamed(reference.group(1), rules).fields())
                        .as("the field %s of %s", reference.group(), rules)
                        .anyMatch(field -> field.fieldName().equalsString(reference.group(2))));
    }

    private static boolean calls(MethodModel method, String called) {
        return method.code().stream()
                .flatMap(CodeModel::elementStream)
                .anyMatch(element -> element instanceof InvokeInstruction invoke
                        && invoke.name().equalsString(called));
    }

    /** Of the services, or of a library that the tests have, too. */
    private static ClassModel classNamed(String name, Rules rules) {
        var file = name.replace('.', '/') + ".class";
        Optional<Path> compiled = Stream.of(
                        "shared-events",
                        "order-service",
                        "inventory-service",
                        "payment-service",
                        "notification-service")
                .map(module ->
                        CHECKOUT.resolve(module).resolve("target/classes").resolve(file))
                .filter(Files::exists)
                .findFirst();
        try (var library = BytemanRulesTest.class.getClassLoader().getResourceAsStream(file)) {
            assertThat(compiled.isPresent() || library != null)
                    .as("the class %s of %s", name, rules)
                    .isTrue();
            var bytes = compiled.isPresent() ? Files.readAllBytes(compiled.get()) : library.readAllBytes();
            return ClassFile.of().parse(bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
