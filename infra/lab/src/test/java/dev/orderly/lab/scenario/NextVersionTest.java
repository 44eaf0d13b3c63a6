package dev.orderly.lab.scenario;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.orderly.events.EventCodec;
import dev.orderly.events.EventFormat;
import dev.orderly.events.EventJson;
import dev.orderly.events.Money;
import dev.orderly.events.OrderEvent.Line;
import dev.orderly.events.OrderEvent.OrderPlaced;
import dev.orderly.events.PaymentMethod;
import java.io.File;
import java.io.IOException;
import java.lang.invoke.MethodType;
import java.lang.reflect.Executable;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code ./orderly scenario evolution} rolls out: both versions of the events, in class loaders. */
class NextVersionTest {

    private static final OrderPlaced PLACED = placed(3998);
    private static final String NEW_FIELDS =
            "\"buyerId\":\"0198c6a2-0000-7000-8000-000000000002\",\"totalMicros\":39980000,\"currency\":\"EUR\"";

    @TempDir
    private static Path folder;

    private static URLClassLoader next;

    @BeforeAll
    static void compile() throws IOException {
        var version = new NextVersion(folder);
        var classPath = System.getProperty("java.class.path");
        assertThat(version.build(classPath)).contains("OrderEvent.java");
        var urls = new ArrayList<URL>();
        urls.add(version.classes().toUri().toURL());
        for (var entry : classPath.split(File.pathSeparator)) {
            urls.add(Path.of(entry).toUri().toURL());
        }
        next = new URLClassLoader(urls.toArray(URL[]::new), ClassLoader.getPlatformClassLoader());
    }

    @AfterAll
    static void close() throws IOException {
        next.close();
    }

    private static OrderPlaced placed(long cents) {
        var customer = UUID.fromString("0198c6a2-0000-7000-8000-000000000002");
        return new OrderPlaced(
                UUID.fromString("0198c6a2-0000-7000-8000-000000000001"),
                customer,
                List.of(new Line("mug", 2, Money.of(1999, "EUR"))),
                Money.of(cents, "EUR"),
                PaymentMethod.BALANCE,
                null,
                null,
                Instant.parse("2026-11-23T10:15:30.123Z"));
    }

    /** What the next version writes of what it has read. */
    private static String byNextVersion(String json) throws ReflectiveOperationException {
        var event = inNextVersion(EventJson.class, "read", nextType(), json.getBytes(UTF_8));
        return (String) inNextVersion(EventJson.class, "write", event);
    }

    private static Class<?> nextType() throws ClassNotFoundException {
        return next.loadClass(OrderPlaced.class.getName());
    }

    /** Calls the static method that takes these arguments. */
    private static Object inNextVersion(Class<?> owner, String name, Object... arguments)
            throws ReflectiveOperationException {
        var methods = next.loadClass(owner.getName()).getMethods();
        return Arrays.stream(methods)
                .filter(method -> method.getName().equals(name) && takes(method, arguments))
                .findFirst()
                .orElseThrow()
                .invoke(null, arguments);
    }

    private static boolean takes(Executable called, Object... arguments) {
        var types =
                MethodType.methodType(void.class, called.getParameterTypes()).wrap();
        return types.parameterCount() == arguments.length
                && IntStream.range(0, arguments.length)
                        .allMatch(i -> types.parameterType(i).isInstance(arguments[i]));
    }

    @Test
    void the_next_version_takes_up_what_this_one_writes() throws ReflectiveOperationException {
        assertThat(fields(byNextVersion(EventJson.write(PLACED))))
                .containsAll(fields(EventJson.write(PLACED)))
                .containsAll(fields(NEW_FIELDS));
    }

    @Test
    void this_version_reads_what_the_next_one_writes() throws Exception {
        var written = byNextVersion(EventJson.write(PLACED));

        assertThat(EventJson.read(OrderPlaced.class, written.getBytes(UTF_8))).isEqualTo(PLACED);
    }

    @Test
    void the_next_version_needs_only_the_new_fields_of_its_own() throws ReflectiveOperationException {
        var written = byNextVersion(EventJson.write(PLACED));
        var contracted =
                written.replaceFirst("\"customerId\":\"[^\"]*\",", "").replaceFirst("\"total\":\\{[^}]*\\},", "");

        assertThat(contracted).doesNotContain("customerId", "\"total\"");
        assertThat(byNextVersion(contracted)).isEqualTo(written);
    }

    @Test
    void a_total_that_does_not_fit_into_the_new_unit_is_written_in_the_old_one_alone() throws Exception {
        var huge = placed(Long.MAX_VALUE);
        var written = byNextVersion(EventJson.write(huge));

        assertThat(written).doesNotContain("totalMicros");
        assertThat(EventJson.read(OrderPlaced.class, written.getBytes(UTF_8))).isEqualTo(huge);
        assertThat(byNextVersion(written)).isEqualTo(written);
    }

    @Test
    void in_Avro_each_version_reads_the_other_by_the_schema_that_it_wrote_with() throws Exception {
        var nextAvro = inNextVersion(EventFormat.class, "valueOf", "AVRO");
        var text = EventCodec.schema(EventFormat.AVRO, OrderPlaced.class);
        var nextText = (String) inNextVersion(EventCodec.class, "schema", nextAvro, nextType());

        var written = EventCodec.write(EventFormat.AVRO, PLACED, 1);
        var read = inNextVersion(
                EventCodec.class,
                "read",
                nextAvro,
                nextType(),
                inNextVersion(EventCodec.class, "schema", nextAvro, text),
                written);
        assertThat(inNextVersion(EventJson.class, "write", read)).isEqualTo(byNextVersion(EventJson.write(PLACED)));

        var nextWritten = (byte[]) inNextVersion(EventCodec.class, "write", nextAvro, read, 2);
        assertThat(nextWritten).hasSizeGreaterThan(written.length);
        assertThat(EventCodec.read(
                        EventFormat.AVRO,
                        OrderPlaced.class,
                        EventCodec.schema(EventFormat.AVRO, nextText),
                        nextWritten))
                .isEqualTo(PLACED);
    }

    @Test
    void a_service_that_was_compiled_with_this_version_finds_all_it_calls() throws ClassNotFoundException {
        assertThat(signatures(nextType())).containsAll(signatures(OrderPlaced.class));
        assertThat(Arrays.stream(nextType().getConstructors()).map(NextVersionTest::parameters))
                .contains(parameters(OrderPlaced.class.getConstructors()[0]));
    }

    private static List<String> signatures(Class<?> type) {
        return Arrays.stream(type.getMethods())
                .map(method -> method.getReturnType().getName() + " " + method.getName() + parameters(method))
                .toList();
    }

    private static String parameters(Executable called) {
        return Arrays.stream(called.getParameterTypes())
                .map(Class::getName)
                .toList()
                .toString();
    }

    /** Of a flat part of JSON, as text. */
    private static List<String> fields(String json) {
        return List.of(json.replaceAll("^\\{|\\}$", "").split(",(?=\")"));
    }
}
