package dev.orderly.platform;

import static dev.orderly.platform.ShopClient.expect;
import static dev.orderly.platform.ShopClient.send;

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
import java.util.HashMap;
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
 * ({@link Jvm#command}). Every later start takes a third of the processor time. Without archives everything works, slower: a
 * failure here is told and fails no build.
 */
@Command(name = "train", hidden = true, description = "Make class archives.")
final class Training implements Callable<Integer> {
    /** As many customers at once, for so long: enough for the JVM to note what is hot, and how it is used. */
    private static final int CUSTOMERS = 16;

    private static final Duration BUSY = Duration.ofSeconds(20);

    private static final PrintStream NOWHERE = new PrintStream(OutputStream.nullOutputStream());

    @Option(
            names = "--services",
            description = "Make those of the services, which must be built, and of all that they use.")
    boolean withServices;

    @Override
    public Integer call() throws IOException, InterruptedException {
        Path target = Checkout.path().resolve("infra/platform/target");
        Files.createDirectories(target.resolve("aot"));
        Path data = target.resolve("aot/training");
        var ofKafka = EnumSet.of(Jvm.BROKER, Jvm.CONNECT);
        Set<Jvm> kinds = withServices ? EnumSet.complementOf(ofKafka) : ofKafka;
        var settings = PlatformPorts.onFreePorts(new Settings(Checkout.path(), data, 1, Settings.Ports.USUAL, kinds));
        var archives = withServices ? ofServices(settings) : ofPlatform(settings);
        try {
            if (!upToDate(archives)) {
                train(settings, archives.keySet());
            }
            StateFolder.delete(data);
        } catch (StartFailure | NoSuchFileException e) {
            System.out.println("starts will be slower than they could be: " + e.getMessage());
        }
        return 0;
    }

    /** The archives, each with the jars, or the folder of jars, that it is made of. */
    private static Map<Path, Path> ofPlatform(Settings settings) {
        Path lib = settings.built().resolve("lib");
        return Map.of(
                Jvm.archive(settings.built(), "broker"), lib,
                Jvm.archive(settings.built(), "connect"), lib);
    }

    private static Map<Path, Path> ofServices(Settings settings) {
        var archives = new HashMap<Path, Path>();
        for (var service : Service.all(settings.checkout(), settings.ports().http())) {
            archives.put(
                    service.archive(settings), service.jar(settings.checkout()).getParent());
        }
        Path own = settings.built().resolve("platform.jar");
        archives.put(Jvm.archive(settings.built(), "sms"), own);
        archives.put(Jvm.archive(settings.built(), "gateway"), own);
        archives.put(Jvm.archive(settings.built(), "mail"), settings.built().resolve("greenmail.jar"));
        return archives;
    }

    private void train(Settings settings, Set<Path> archives) throws IOException, InterruptedException {
        for (Path archive : archives) {
            Files.createDirectories(archive.getParent());
        }
        var folder = StateFolder.open(settings.data(), true, settings.brokers());
        System.setProperty("orderly.log", settings.log("launcher").toString());
        if (withServices) {
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
            throw new StartFailure(
                    archive.getFileName() + " was not written within " + Jvm.ARCHIVE_WRITING.toSeconds() + " s");
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
            var broker = supervisor.start(kafka.parts().getFirst());
            try {
                broker.awaitReady();
                kafka.createTopics();
                var worker = supervisor.start(new Connect(settings).part());
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

    private static boolean upToDate(Map<Path, Path> archives) throws IOException {
        for (var archive : archives.entrySet()) {
            if (!Files.exists(archive.getKey())) {
                return false;
            }
            var written = Files.getLastModifiedTime(archive.getKey());
            try (var jars = Files.walk(archive.getValue())) {
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
