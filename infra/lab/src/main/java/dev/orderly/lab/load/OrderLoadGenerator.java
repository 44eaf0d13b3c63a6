package dev.orderly.lab.load;

import dev.orderly.lab.load.LoadClient.Response;
import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.platform.operations.AccessTokens;
import dev.orderly.testkit.Await;
import dev.orderly.testkit.RunningPlatform;
import dev.orderly.testkit.ShopClient;
import io.vertx.core.buffer.Buffer;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Histogram;

/** Orders by HTTP, each of another customer than the one before, and for another product. */
public final class OrderLoadGenerator implements AutoCloseable {
    private static final int CUSTOMERS = 1_000;
    private static final int PRODUCTS = 20;
    private static final int UNLIMITED = 1_000_000_000;
    private static final int CONNECTIONS = 256;
    private static final int SEEDERS = 16;
    private static final int SEED_ATTEMPTS = 8;
    private static final long MAX_MICROS = TimeUnit.MINUTES.toMicros(5);
    /** Of a request and of the one that watches the order then; and a margin. */
    private static final Duration MAX_RESPONSES =
            LoadClient.MAX_RESPONSE.multipliedBy(2).plusSeconds(10);

    private final LoadClient client;
    private final ShopClient shop;
    private final AccessTokens tokens;
    private final int customers;
    private final AtomicLong number = new AtomicLong();
    private volatile double traced;

    /** Times are in microseconds, from when a request was due, not from when it could be sent. */
    public static final class Results {
        public final Histogram post = new ConcurrentHistogram(MAX_MICROS, 3);
        public final Histogram confirmed = new ConcurrentHistogram(MAX_MICROS, 3);
        public final AtomicLong accepted = new AtomicLong();
        /** Answered 503 or 429: the service sheds load. */
        public final AtomicLong shed = new AtomicLong();

        /** Those without a response among them. */
        public final AtomicLong failed = new AtomicLong();
        /** The different messages of those that failed. */
        public final Set<String> failures = ConcurrentHashMap.newKeySet();

        private final AtomicLong inFlight = new AtomicLong();

        private void failed(String message) {
            failed.incrementAndGet();
            failures.add(message);
        }
    }

    public OrderLoadGenerator(RunningPlatform system) {
        this(system, CUSTOMERS);
    }

    public OrderLoadGenerator(RunningPlatform system, int customers) {
        this(
                new LoadClient(system.url("order-service", "/"), CONNECTIONS),
                new ShopClient(system::url, system.tokens()),
                system.tokens(),
                customers);
    }

    OrderLoadGenerator(LoadClient client, ShopClient shop, AccessTokens tokens, int customers) {
        this.client = client;
        this.shop = shop;
        this.tokens = tokens;
        this.customers = customers;
    }

    /** Has this part of the orders that follow traced; services must be set to. */
    public void trace(double part) {
        traced = part;
    }

    /** Catalogue, stock, accounts and tokens: enough of everything, so that every order is confirmed. */
    public void seed() throws InterruptedException {
        try (var seeders = Executors.newFixedThreadPool(SEEDERS)) {
            var seeded = seeders.invokeAll(IntStream.range(0, customers)
                    .mapToObj(i -> (Callable<Void>) () -> {
                        seed(i);
                        return null;
                    })
                    .toList());
            for (var one : seeded) {
                one.get();
            }
        } catch (ExecutionException e) {
            throw new CommandFailedException("cannot seed: " + e.getCause().getMessage(), e);
        }
    }

    /** Again, when a service that has just started is still busy: it says that it has changed nothing. */
    private void seed(int i) throws InterruptedException {
        for (int attempt = 1; ; attempt++) {
            try {
                if (i < PRODUCTS) {
                    shop.putProduct(product(i), "Bench", 1);
                    shop.putStock(product(i), UNLIMITED);
                }
                shop.deposit(customer(i), UNLIMITED);
                tokens.of(customer(i));
                return;
            } catch (CommandFailedException e) {
                if (attempt == SEED_ATTEMPTS) {
                    throw e;
                }
                TimeUnit.SECONDS.sleep(attempt);
            }
        }
    }

    private String customer(long number) {
        return "0198c6a2-0000-7000-8000-%012d".formatted(number % customers);
    }

    private static String product(long number) {
        return "bench-" + number % PRODUCTS;
    }

    /**
     * An open loop: new orders at a rate, however slow the responses are. A request that is late because
     * others were slow is measured from when it was due (Tene, "How NOT to Measure Latency": coordinated
     * omission).
     *
     * @param watchedPerSecond of so many the customer waits for the end, by the link that the order was
     *     accepted with; 0 for none
     */
    public Results atRate(int perSecond, Duration time, int watchedPerSecond) throws InterruptedException {
        var results = new Results();
        long start = System.nanoTime();
        long total = perSecond * time.toMillis() / 1000;
        int each = Math.max(1, perSecond / Math.max(1, watchedPerSecond));
        for (long i = 0; i < total; i++) {
            long due = start + i * TimeUnit.SECONDS.toNanos(1) / perSecond;
            TimeUnit.NANOSECONDS.sleep(due - System.nanoTime());
            post(results, due, watchedPerSecond > 0 && i % each == 0, () -> {});
        }
        awaitResponses(results);
        return results;
    }

    /** A closed loop: so many orders at a time, while {@code wanted}, but none while {@code enough}. */
    public Results concurrently(int connections, BooleanSupplier wanted, BooleanSupplier enough)
            throws InterruptedException {
        var results = new Results();
        var permits = new Semaphore(connections);
        while (wanted.getAsBoolean()) {
            if (enough.getAsBoolean()) {
                TimeUnit.MILLISECONDS.sleep(1);
            } else if (permits.tryAcquire(100, TimeUnit.MILLISECONDS)) {
                post(results, System.nanoTime(), false, permits::release);
            }
        }
        awaitResponses(results);
        return results;
    }

    /** Each request has a response then, or has failed for want of one: none is missing in the results. */
    private static void awaitResponses(Results results) throws InterruptedException {
        Await.until(MAX_RESPONSES, "responses to all requests", () -> results.inFlight.get() == 0);
    }

    private void post(Results results, long due, boolean watched, Runnable done) throws InterruptedException {
        long order = number.getAndIncrement();
        var body = ShopClient.toJson(ShopClient.order(customer(order), Map.of(product(order), 1)));
        var bearer = tokens.bearer(customer(order));
        results.inFlight.incrementAndGet();
        var random = ThreadLocalRandom.current();
        var trace = random.nextDouble() < traced
                ? "00-%016x%016x-%016x-01".formatted(random.nextLong(), random.nextLong(), random.nextLong())
                : null;
        client.post("/orders", "application/json", bearer, Buffer.buffer(body), trace)
                .onSuccess(response -> {
                    results.post.recordValue(micros(due));
                    switch (response.status()) {
                        case 202 -> {
                            results.accepted.incrementAndGet();
                            if (watched) {
                                watch(results, due, response, bearer);
                            }
                        }
                        case 503, 429 -> results.shed.incrementAndGet();
                        default -> results.failed("POST returned " + response.status());
                    }
                })
                .onFailure(failure -> results.failed("POST: " + failure))
                .onComplete(_ -> {
                    results.inFlight.decrementAndGet();
                    done.run();
                });
    }

    private void watch(Results results, long due, Response accepted, String bearer) {
        results.inFlight.incrementAndGet();
        client.get("/orders/" + accepted.body().toJsonObject().getString("id") + "?wait=30", bearer)
                .onSuccess(response -> {
                    if (response.body().toString().contains("\"status\":\"CONFIRMED\"")) {
                        results.confirmed.recordValue(micros(due));
                    } else {
                        results.failed("GET returned " + response.body());
                    }
                })
                .onFailure(failure -> results.failed("GET: " + failure))
                .onComplete(_ -> results.inFlight.decrementAndGet());
    }

    private static long micros(long since) {
        return Math.clamp((System.nanoTime() - since) / 1000, 1, MAX_MICROS);
    }

    @Override
    public void close() {
        client.close();
    }
}
