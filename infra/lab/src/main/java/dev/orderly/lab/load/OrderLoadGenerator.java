package dev.orderly.lab.load;

import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.PoolOptions;
import io.vertx.core.http.RequestOptions;
import io.vertx.core.json.JsonObject;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Histogram;

/** Orders by HTTP, each by another customer than the one before, and for another product. */
public final class OrderLoadGenerator implements AutoCloseable {
    static final int CUSTOMERS = 1_000;
    static final int PRODUCTS = 20;
    private static final int CONNECTIONS = 256;

    /** A service closes connections after 60 s of silence; a request that meets such a one would fail. */
    private static final int IDLE_SECONDS = 30;

    private static final long LONGEST_MICROS = TimeUnit.MINUTES.toMicros(5);
    private static final Duration ANSWER = Duration.ofSeconds(60);

    private final Vertx vertx = Vertx.vertx();
    private final HttpClient client;
    private final URI orders;
    private final AtomicLong number = new AtomicLong();

    /** What became of the requests of a phase; times in microseconds, from when each was due, not from when it could be sent. */
    public static final class Answers {
        public final Histogram post = new ConcurrentHistogram(LONGEST_MICROS, 3);
        public final Histogram confirmed = new ConcurrentHistogram(LONGEST_MICROS, 3);
        public final AtomicLong accepted = new AtomicLong();
        /** Answered 503 or 429: the service said at once that it has too much to do. */
        public final AtomicLong turnedAway = new AtomicLong();

        public final AtomicLong failed = new AtomicLong();
        /** In what ways. */
        public final Set<String> failures = ConcurrentHashMap.newKeySet();

        final AtomicLong underWay = new AtomicLong();

        private void failed(String how) {
            failed.incrementAndGet();
            failures.add(how);
        }

        long asked() {
            return accepted.get() + turnedAway.get() + failed.get();
        }
    }

    /** What must be there before the first order is placed: catalogue, shelves and accounts, without end. */
    public record Need(String service, String method, String path, String body) {}

    public static List<Need> needs() {
        var needs = new ArrayList<Need>();
        for (int i = 0; i < PRODUCTS; i++) {
            needs.add(new Need(
                    "order-service",
                    "PUT",
                    "/products/" + product(i),
                    "{\"name\":\"Bench\",\"price\":{\"amount\":1,\"currency\":\"EUR\"}}"));
            needs.add(new Need("inventory-service", "PUT", "/stock/" + product(i), "{\"available\":1000000000}"));
        }
        for (int i = 0; i < CUSTOMERS; i++) {
            needs.add(new Need(
                    "payment-service",
                    "POST",
                    "/accounts/" + customer(i) + "/deposits",
                    "{\"amount\":{\"amount\":1000000000,\"currency\":\"EUR\"}}"));
        }
        return needs;
    }

    public OrderLoadGenerator(URI orders) {
        this.orders = orders;
        client = vertx.createHttpClient(
                new HttpClientOptions()
                        .setKeepAlive(true)
                        .setKeepAliveTimeout(IDLE_SECONDS)
                        .setTcpNoDelay(true),
                new PoolOptions().setHttp1MaxSize(CONNECTIONS));
    }

    static String customer(long number) {
        return "0198c6a2-0000-7000-8000-%012d".formatted(number % CUSTOMERS);
    }

    static String product(long number) {
        return "bench-" + number % PRODUCTS;
    }

    /**
     * New orders at a rate, however slow the answers are: an open loop. What is late because answers are is counted from when
     * it was due (Tene, "How NOT to Measure Latency": coordinated omission).
     *
     * @param watchedPerSecond of so many the customer waits for the end, by the link that the order was accepted with
     */
    public Answers atRate(int perSecond, Duration time, int watchedPerSecond) throws InterruptedException {
        var answers = new Answers();
        long start = System.nanoTime();
        long total = perSecond * time.toMillis() / 1000;
        int each = Math.max(1, perSecond / watchedPerSecond);
        for (long i = 0; i < total; i++) {
            long due = start + i * TimeUnit.SECONDS.toNanos(1) / perSecond;
            long ahead = due - System.nanoTime();
            if (ahead > 0) {
                TimeUnit.NANOSECONDS.sleep(ahead);
            }
            post(answers, due, i % each == 0, () -> {});
        }
        awaitAnswers(answers);
        return answers;
    }

    /** So many at a time, one after the other, for as long as it is wanted; fewer while {@code enough} says so. */
    public Answers atOnce(int connections, BooleanSupplier wanted, BooleanSupplier enough) throws InterruptedException {
        var answers = new Answers();
        var free = new Semaphore(connections);
        while (wanted.getAsBoolean()) {
            if (enough.getAsBoolean()) {
                TimeUnit.MILLISECONDS.sleep(1);
            } else if (free.tryAcquire(100, TimeUnit.MILLISECONDS)) {
                post(answers, System.nanoTime(), false, free::release);
            }
        }
        awaitAnswers(answers);
        return answers;
    }

    private static void awaitAnswers(Answers answers) throws InterruptedException {
        long end = System.nanoTime() + ANSWER.toNanos();
        while (answers.underWay.get() > 0 && System.nanoTime() < end) {
            TimeUnit.MILLISECONDS.sleep(10);
        }
    }

    private void post(Answers answers, long due, boolean watched, Runnable done) {
        long order = number.getAndIncrement();
        var body = Buffer.buffer("{\"customerId\":\"" + customer(order) + "\",\"lines\":[{\"sku\":\"" + product(order)
                + "\",\"quantity\":1}],\"paymentMethod\":\"BALANCE\"}");
        answers.underWay.incrementAndGet();
        client.request(options(HttpMethod.POST, "/orders"))
                .compose(request -> request.putHeader("Content-Type", "application/json")
                        .putHeader("Idempotency-Key", UUID.randomUUID().toString())
                        .send(body))
                .compose(response -> response.body().map(answer -> {
                    answers.post.recordValue(micros(due));
                    switch (response.statusCode()) {
                        case 202 -> {
                            answers.accepted.incrementAndGet();
                            if (watched) {
                                watch(answers, due, new JsonObject(answer).getString("id"));
                            }
                        }
                        case 503, 429 -> answers.turnedAway.incrementAndGet();
                        default -> answers.failed("POST answered " + response.statusCode());
                    }
                    return null;
                }))
                .onFailure(failure -> answers.failed("POST: " + failure))
                .onComplete(_ -> {
                    answers.underWay.decrementAndGet();
                    done.run();
                });
    }

    private void watch(Answers answers, long due, String id) {
        answers.underWay.incrementAndGet();
        client.request(options(HttpMethod.GET, "/orders/" + id + "?wait=30"))
                .compose(io.vertx.core.http.HttpClientRequest::send)
                .compose(response -> response.body())
                .onSuccess(body -> {
                    if (body.toString().contains("\"status\":\"CONFIRMED\"")) {
                        answers.confirmed.recordValue(micros(due));
                    } else {
                        answers.failed("GET answered " + body);
                    }
                })
                .onFailure(failure -> answers.failed("GET: " + failure))
                .onComplete(_ -> answers.underWay.decrementAndGet());
    }

    private static long micros(long since) {
        return Math.clamp((System.nanoTime() - since) / 1000, 1, LONGEST_MICROS);
    }

    private RequestOptions options(HttpMethod method, String path) {
        return new RequestOptions()
                .setMethod(method)
                .setHost(orders.getHost())
                .setPort(orders.getPort())
                .setURI(path);
    }

    @Override
    public void close() {
        client.close();
        vertx.close();
    }
}
