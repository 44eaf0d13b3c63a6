package dev.orderly.lab.scenario;

import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.platform.operations.AccessTokens;
import dev.orderly.testkit.Await;
import dev.orderly.testkit.ShopClient;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Orders at a steady rate, however slow the answers are, each repeated until it is accepted: eight of ten are
 * to be confirmed, one is out of stock, one cannot be paid.
 */
final class SteadyOrders {
    static final int PER_SECOND = 10;
    private static final int PRICE = 19_99;
    private static final int MAX_UNITS = 3;
    private static final int KINDS = 10;
    private static final long PLENTY = 1_000_000;

    private static final Duration BETWEEN_ATTEMPTS = Duration.ofMillis(200);
    private static final Duration MAX_WAIT = Duration.ofSeconds(120);

    private final RollingServices services;
    private final String writer;
    private final String reader;
    private final AccessTokens tokens;
    private final String rich = UUID.randomUUID().toString();
    private final String poor = UUID.randomUUID().toString();

    private final Queue<Placed> placed = new ConcurrentLinkedQueue<>();
    private final Set<String> inFlight = ConcurrentHashMap.newKeySet();
    private final AtomicLong shed = new AtomicLong();
    private final AtomicLong failed = new AtomicLong();
    private volatile boolean wanted;
    private Thread customers;

    /** How an order has to end. */
    enum End {
        CONFIRMED("CONFIRMED OrderPlaced StockReserved PaymentCaptured OrderConfirmed"),
        OUT_OF_STOCK("REJECTED OrderPlaced StockRejected OrderRejected"),
        NOT_PAID("REJECTED OrderPlaced StockReserved PaymentDeclined OrderRejected");

        /** Its status, and its events. */
        final String history;

        End(String history) {
            this.history = history;
        }
    }

    /**
     * @param writer the version of the instance that accepted it
     * @param readers the versions of the reader that ran then
     */
    record Placed(String id, String customer, int writer, String readers, End end, int units) {}

    /**
     * @param writer the service that accepts orders
     * @param reader the one whose versions are noted beside
     */
    SteadyOrders(RollingServices services, String writer, String reader, AccessTokens tokens) {
        this.services = services;
        this.writer = writer;
        this.reader = reader;
        this.tokens = tokens;
    }

    private ShopClient shop() {
        return new ShopClient((service, path) -> services.next(service).url(path), tokens);
    }

    void seed() throws InterruptedException {
        shop().putProduct("mug", "Mug", PRICE);
        shop().putProduct("rare", "Rare", PRICE);
        shop().putStock("mug", PLENTY);
        shop().deposit(rich, PLENTY * PRICE);
    }

    void begin() {
        wanted = true;
        customers = Thread.ofVirtual().start(this::placeAll);
    }

    /** Returns when each order that was begun has its answer. */
    void end() throws InterruptedException {
        wanted = false;
        customers.join();
        awaitAnswers();
    }

    private void placeAll() {
        try {
            long start = System.nanoTime();
            for (long i = 0; wanted; i++) {
                TimeUnit.NANOSECONDS.sleep(start + i * TimeUnit.SECONDS.toNanos(1) / PER_SECOND - System.nanoTime());
                int kind = (int) (i % KINDS);
                var key = UUID.randomUUID().toString();
                inFlight.add(key);
                Thread.ofVirtual().start(() -> place(kind, key));
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private void place(int kind, String key) {
        var end = kind == 3 ? End.OUT_OF_STOCK : kind == 7 ? End.NOT_PAID : End.CONFIRMED;
        int units = 1 + kind % MAX_UNITS;
        var sku = end == End.OUT_OF_STOCK ? "rare" : "mug";
        var customer = end == End.NOT_PAID ? poor : rich;
        try {
            while (!place(customer, Map.of(sku, units), key, end)) {
                TimeUnit.MILLISECONDS.sleep(BETWEEN_ATTEMPTS.toMillis());
            }
        } catch (CommandFailedException e) {
            failed.incrementAndGet();
            System.out.println("an order failed: " + e.getMessage());
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        } finally {
            inFlight.remove(key);
        }
    }

    /** Returns false when it was shed, which changes nothing. */
    private boolean place(String customer, Map<String, Integer> lines, String key, End end)
            throws InterruptedException {
        var instance = services.next(writer);
        var readers = services.versions(reader);
        var response =
                new ShopClient((_, path) -> instance.url(path), tokens).place(ShopClient.order(customer, lines), key);
        if (response.statusCode() == 503) {
            shed.incrementAndGet();
            return false;
        }
        int units = lines.values().iterator().next();
        placed.add(new Placed(ShopClient.id(response), customer, instance.version(), readers, end, units));
        return true;
    }

    /** Returns when so many more have been accepted. */
    void awaitMore(int orders) throws InterruptedException {
        int enough = placed.size() + orders;
        Await.until(MAX_WAIT, orders + " more orders", () -> placed.size() >= enough);
    }

    /** Returns when each order that has been begun until now has its answer. */
    void awaitAnswers() throws InterruptedException {
        var begun = Set.copyOf(inFlight);
        Await.until(MAX_WAIT, "the answers to orders", () -> Collections.disjoint(begun, inFlight));
    }

    List<Placed> placed() {
        return List.copyOf(placed);
    }

    long shed() {
        return shed.get();
    }

    long failed() {
        return failed.get();
    }

    long unitsToSell() {
        return placed.stream()
                .filter(order -> order.end == End.CONFIRMED)
                .mapToLong(Placed::units)
                .sum();
    }

    long unitsSold() throws InterruptedException {
        return shop().stock("mug").sold();
    }

    /** Of the accounts, in cents. */
    long spent() throws InterruptedException {
        return PLENTY * PRICE - shop().balance(rich);
    }

    long toSpend() {
        return unitsToSell() * PRICE;
    }
}
