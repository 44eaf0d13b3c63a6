package dev.orderly.platform;

import static dev.orderly.platform.Calls.expect;
import static dev.orderly.platform.Calls.send;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * Part of the build: starts things once so that the JVM can write down what they load, link and compile first
 * ({@link Jvm#learnt}). Every later start takes a third of the processor time. Without archives everything works, slower: a
 * failure here is told and fails no build.
 */
@Command(name = "train", hidden = true, description = "Make the class archives of brokers and Connect.")
final class Training implements Callable<Integer> {
    /** An archive is written as its process ends. */
    static final Duration WRITING = Duration.ofSeconds(120);

    /** As many customers at once, for so long: enough for the JVM to note what is hot, and how it is used. */
    private static final int CUSTOMERS = 16;

    private static final Duration BUSY = Duration.ofSeconds(20);

    private static final PrintStream NOWHERE = new PrintStream(OutputStream.nullOutputStream());

    @Option(names = "--services", description = "Make those of the services, which must be built.")
    boolean ofServices;

    @Override
    public Integer call() throws IOException, InterruptedException {
        Path target = Main.checkout().resolve("infra/platform/target");
        Files.createDirectories(target.resolve("aot"));
        Path data = target.resolve("aot/training");
        Set<Jvm> kinds = ofServices ? EnumSet.of(Jvm.SERVICE) : EnumSet.of(Jvm.BROKER, Jvm.CONNECT);
        var settings = new Settings(Main.checkout(), data, 1, Settings.Ports.USUAL, kinds).onFreePorts();
        var services = Service.all(settings.checkout(), settings.ports().http());
        var archives = ofServices
                ? services.stream().map(s -> s.archive(settings)).toList()
                : kinds.stream().map(kind -> kind.archive(settings)).toList();
        var jars = ofServices
                ? services.stream()
                        .map(s -> s.jar(settings.checkout()).getParent())
                        .toList()
                : List.of(settings.built().resolve("lib"));
        try {
            if (!upToDate(archives, jars)) {
                train(settings, archives);
            }
            StateFolder.delete(data);
        } catch (StartFailure | NoSuchFileException e) {
            System.out.println("starts will be slower than they could be: " + e.getMessage());
        }
        return 0;
    }

    private void train(Settings settings, List<Path> archives) throws IOException, InterruptedException {
        for (Path archive : archives) {
            Files.createDirectories(archive.getParent());
        }
        var folder = StateFolder.open(settings.data(), true, settings.brokers());
        System.setProperty("orderly.log", settings.log("launcher").toString());
        if (ofServices) {
            trainServices(settings, folder);
        } else {
            trainPlatform(settings, folder);
        }
        for (Path archive : archives) {
            keepIfFinished(archive);
        }
    }

    private static void keepIfFinished(Path archive) throws IOException {
        Path written = Jvm.unfinished(archive);
        // The JVM notes what it has seen here, makes the archive of it, and deletes the notes when that is whole.
        Path notes = Path.of(written + ".config");
        if (Files.deleteIfExists(notes)) {
            Files.deleteIfExists(written);
            throw new StartFailure(archive.getFileName() + " was not written within " + WRITING.toSeconds() + " s");
        }
        Files.move(written, archive, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    /** With orders, so that the first real one finds its path trodden: one of each kind, and then many. */
    private static void trainServices(Settings settings, StateFolder folder) throws IOException, InterruptedException {
        try (var platform = new Platform(settings, Platform.Scope.ALL, folder, new Progress(NOWHERE))) {
            platform.start();
            new SampleOrders(settings, platform.services(), NOWHERE).run();
            placeMany(platform.services());
        }
    }

    private static void placeMany(List<Service> services) throws InterruptedException {
        var orders = Service.named(services, Service.ORDERS);
        var price = Map.of("amount", 1, "currency", "EUR");
        expect(send("PUT", orders.url("/products/training"), Map.of("name", "Training", "price", price)));
        expect(send(
                "PUT", Service.named(services, Service.STOCK).url("/stock/training"), Map.of("available", 1_000_000)));
        var customers = new ArrayList<Callable<Void>>();
        for (int i = 0; i < CUSTOMERS; i++) {
            var customer = UUID.randomUUID();
            expect(send(
                    "POST",
                    Service.named(services, Service.PAYMENTS).url("/accounts/" + customer + "/deposits"),
                    Map.of("amount", Map.of("amount", 1_000_000, "currency", "EUR"))));
            var order = Map.of(
                    "customerId",
                    customer,
                    "lines",
                    List.of(Map.of("sku", "training", "quantity", 1)),
                    "paymentMethod",
                    "BALANCE");
            customers.add(() -> {
                while (true) {
                    expect(send("POST", orders.url("/orders"), order));
                }
            });
        }
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            threads.invokeAll(customers, BUSY.toSeconds(), TimeUnit.SECONDS);
        }
    }

    /** Without PostgreSQL and services, which may not be built yet. */
    private static void trainPlatform(Settings settings, StateFolder folder) throws IOException, InterruptedException {
        var supervisor = new Supervisor(settings, _ -> {});
        try (folder;
                var kafka = new Kafka(settings)) {
            kafka.init();
            var broker = supervisor.start(kafka.parts().getFirst().withGrace(WRITING));
            try {
                broker.awaitReady();
                kafka.createTopics();
                var worker = supervisor.start(new Connect(settings).part().withGrace(WRITING));
                try {
                    worker.awaitReady();
                } finally {
                    supervisor.stop(List.of(worker));
                }
            } finally {
                supervisor.stop(List.of(broker));
            }
        }
    }

    private static boolean upToDate(List<Path> archives, List<Path> classpaths) throws IOException {
        for (int i = 0; i < archives.size(); i++) {
            if (!Files.exists(archives.get(i))) {
                return false;
            }
            var written = Files.getLastModifiedTime(archives.get(i));
            try (var jars = Files.walk(classpaths.get(Math.min(i, classpaths.size() - 1)))) {
                for (Path jar : jars.filter(Files::isRegularFile).toList()) {
                    if (Files.getLastModifiedTime(jar).compareTo(written) > 0) {
                        return false;
                    }
                }
            }
        }
        return true;
    }
}
