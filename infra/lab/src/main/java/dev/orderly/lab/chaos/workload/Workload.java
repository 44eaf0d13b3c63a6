package dev.orderly.lab.chaos.workload;

import dev.orderly.lab.chaos.workload.OperationHistory.Intent;
import dev.orderly.lab.chaos.workload.OperationHistory.Outcome;
import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.testkit.RunningPlatform;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;

/**
 * An open loop of mixed operations, which begin at their rate however slow the answers are: orders that
 * should be confirmed, that ask for more than there is in stock or on the balance, that are cancelled while
 * they are decided or sent twice at once; deposits; restocks; customers who register, some of whom ask for
 * erasure.
 */
public final class Workload implements AutoCloseable {

    private static final int PRICE = 100;
    /** Never restocked, so that what was there is either still there or sold in the end. */
    public static final Map<String, Long> FIXED_STOCK =
            Map.of("plenty-1", 500_000_000L, "plenty-2", 500_000_000L, "plenty-3", 500_000_000L, "short", 5L);

    private static final List<String> CONTENDED = List.of("hot-1", "hot-2");

    /** Cards that are charged in the end, whatever fails on the way. */
    private static final String[] GOOD_CARDS = ("tok_ok tok_ok tok_ok tok_slow_3s tok_never tok_error tok_unavailable"
                    + " tok_hang tok_early tok_duplicate tok_shuffled tok_late_1m tok_forged tok_rotated")
            .split(" ");

    /** Its bank takes longer than the deadline of an order. */
    private static final String SLOW_CARD = "tok_slow_35s";

    private static final int MORE_THAN_IN_STOCK = 10;
    private static final int INITIAL_STOCK = 25;
    private static final long INITIAL_BALANCE = 10_000_000_00L;
    private static final int CUSTOMERS = 20;
    /** Operations beyond are counted instead. It covers 25 s without answers at the default rate. */
    private static final int MAX_IN_FLIGHT = 4000;

    private final ShopOperations shop;
    private final int perSecond;
    private final Random random;
    private final List<String> fundedCustomers;
    private final List<String> unfundedCustomers;
    private final ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor();
    private final Semaphore inFlight = new Semaphore(MAX_IN_FLIGHT);
    private final AtomicLong offered = new AtomicLong();
    private final AtomicLong notOffered = new AtomicLong();
    private int registrations;

    /** @param perSecond how many operations begin, and how many are retried at most */
    public Workload(RunningPlatform system, OperationHistory history, long seed, int perSecond) {
        this.shop = new ShopOperations(system, history, perSecond);
        this.perSecond = perSecond;
        this.random = new Random(seed);
        this.fundedCustomers = customers();
        this.unfundedCustomers = customers();
    }

    private List<String> customers() {
        return IntStream.range(0, CUSTOMERS)
                .mapToObj(_ ->
                        new UUID(random.nextLong() & ~0xF000L | 0x7000L, random.nextLong() >>> 2 | 1L << 63).toString())
                .toList();
    }

    /** Adds products, stock and balances. No fault is injected yet, so everything must succeed. */
    public void prepare() {
        for (String sku : List.of("plenty-1", "plenty-2", "plenty-3", "short", "hot-1", "hot-2")) {
            expect(shop.addProduct(sku, PRICE), "the product " + sku);
        }
        FIXED_STOCK.forEach((sku, stock) -> expect(shop.setStock(sku, stock), "the stock of " + sku));
        CONTENDED.forEach(sku ->
                expect(shop.restock(sku, "opening", INITIAL_STOCK).outcome() == Outcome.OK, "the stock of " + sku));
        fundedCustomers.forEach(customer -> expect(
                shop.deposit(customer, "opening", INITIAL_BALANCE).outcome() == Outcome.OK,
                "the balance of " + customer));
    }

    private static void expect(boolean succeeded, String what) {
        if (!succeeded) {
            throw new CommandFailedException("the shop could not be prepared: " + what + " was refused");
        }
    }

    /** Begins operations for at least that long and while there is need; returns when the last has begun. */
    public Duration run(Duration atLeast, BooleanSupplier needed) throws InterruptedException {
        long start = System.nanoTime();
        long number = atLeast.toMillis() * perSecond / 1000;
        for (long i = 0; i < number || needed.getAsBoolean(); i++) {
            long due = start + i * TimeUnit.SECONDS.toNanos(1) / perSecond;
            TimeUnit.NANOSECONDS.sleep(Math.max(0, due - System.nanoTime()));
            Runnable operation = next();
            if (inFlight.tryAcquire()) {
                offered.incrementAndGet();
                clients.submit(() -> {
                    try {
                        operation.run();
                    } finally {
                        inFlight.release();
                    }
                });
            } else {
                notOffered.incrementAndGet();
            }
        }
        return Duration.ofNanos(System.nanoTime() - start);
    }

    /** Returns when all operations have been answered or given up. */
    public void finish(Duration maxRetryTime) throws InterruptedException {
        shop.giveUpAfter(maxRetryTime);
        clients.shutdown();
        clients.awaitTermination(maxRetryTime.toSeconds() + 30, TimeUnit.SECONDS);
    }

    /** One more order that should be confirmed, when everything else is done. */
    public void placeLast() {
        shop.place(fundedCustomers.getFirst(), "chaos-last", Intent.CONFIRMED, Map.of("plenty-1", 1), null);
    }

    /** Operations that began. */
    public long offered() {
        return offered.get();
    }

    /** Operations that did not begin because too many were in flight. */
    public long notOffered() {
        return notOffered.get();
    }

    /** One thread draws all random numbers here: the same seed makes the same requests in the same order. */
    private Runnable next() {
        String key = "chaos-" + new UUID(random.nextLong(), random.nextLong());
        String customer = fundedCustomers.get(random.nextInt(CUSTOMERS));
        String sku = "plenty-" + random.nextInt(1, 4);
        int quantity = random.nextInt(1, 4);
        int delay = random.nextInt(600);
        String card = GOOD_CARDS[random.nextInt(GOOD_CARDS.length)];
        int percentile = random.nextInt(100);
        var lines = Map.of(sku, quantity);
        if (percentile < 39) {
            return () -> shop.place(customer, key, Intent.CONFIRMED, lines, null);
        } else if (percentile < 40) {
            // It expires, unless the deadline was missed, too; and what the bank charges afterwards is
            // refunded.
            return () -> shop.place(customer, key, Intent.ANY, lines, SLOW_CARD);
        } else if (percentile < 46) {
            return () -> shop.place(customer, key, Intent.CONFIRMED, lines, card);
        } else if (percentile < 48) {
            return () -> shop.place(customer, key, Intent.REJECTED, lines, declined(card));
        } else if (percentile < 50) {
            return placeAndCancel(customer, key, lines, card, delay);
        } else if (percentile < 58) {
            var tooMany = Map.of(sku, quantity, "short", MORE_THAN_IN_STOCK);
            return () -> shop.place(customer, key, Intent.REJECTED, tooMany, null);
        } else if (percentile < 66) {
            String unfunded = unfundedCustomers.get(random.nextInt(CUSTOMERS));
            return () -> shop.place(unfunded, key, Intent.REJECTED, lines, null);
        } else if (percentile < 74) {
            var contended = Map.of(CONTENDED.get(random.nextInt(CONTENDED.size())), quantity);
            return () -> shop.place(customer, key, Intent.ANY, contended, null);
        } else if (percentile < 88) {
            return placeAndCancel(customer, key, lines, null, delay);
        } else if (percentile < 94) {
            return () -> {
                clients.submit(() -> shop.place(customer, key, Intent.CONFIRMED, lines, null));
                shop.place(customer, key, Intent.CONFIRMED, lines, null);
            };
        } else if (percentile < 96) {
            return () -> shop.deposit(customer, key, quantity);
        } else if (percentile < 98) {
            var person = new TestPerson(++registrations);
            return () -> shop.register(person, key)
                    .filter(_ -> person.asksForErasure())
                    .ifPresent(id -> shop.erase(person, id, delay));
        }
        String contended = CONTENDED.get(random.nextInt(CONTENDED.size()));
        return () -> shop.restock(contended, key, INITIAL_STOCK);
    }

    private Runnable placeAndCancel(
            String customer, String key, Map<String, Integer> lines, String card, int delayMillis) {
        return () -> shop.place(customer, key, Intent.CONFIRMED, lines, card)
                .ifPresent(order -> shop.cancel(order, delayMillis));
    }

    /** The card that behaves alike, but is declined. */
    private static String declined(String card) {
        return card.equals("tok_ok") ? "tok_declined" : card + "_declined";
    }

    @Override
    public void close() {
        clients.shutdownNow();
        shop.close();
    }
}
