package dev.orderly.lab.chaos.workload;

import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.orderly.lab.chaos.workload.OperationHistory.Action;
import dev.orderly.lab.chaos.workload.OperationHistory.Intent;
import dev.orderly.lab.chaos.workload.OperationHistory.Operation;
import dev.orderly.lab.chaos.workload.OperationHistory.Outcome;
import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.testkit.RunningPlatform;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;

/**
 * Customers and clerks: orders that are to be confirmed, that ask for more than there is or than is paid for, that are
 * cancelled while they are decided or sent twice at once; deposits; restocks; people who register, some of whom ask to be
 * forgotten. New ones come at their rate however slow the answers are (an open loop). Who finds nobody there, or is told to
 * come again, leaves; whatever has an unknown outcome is repeated under its key until it is known or the client has had enough,
 * after pauses that grow, and together no more often than new ones come: what an outage leaves behind is worked off, and not
 * an outage of its own.
 */
public final class Workload implements AutoCloseable {

    static final int PRICE = 100;
    /** Never restocked, so that what was there must be there or sold in the end. */
    public static final Map<String, Long> FIXED_STOCK =
            Map.of("plenty-1", 500_000_000L, "plenty-2", 500_000_000L, "plenty-3", 500_000_000L, "short", 5L);

    static final List<String> CONTENDED = List.of("hot-1", "hot-2");

    /** Cards with which all goes well in the end, whatever goes wrong on the way. */
    static final List<String> GOOD_CARDS = List.of(
            "tok_ok",
            "tok_ok",
            "tok_ok",
            "tok_slow_3s",
            "tok_never",
            "tok_error",
            "tok_unavailable",
            "tok_hang",
            "tok_early",
            "tok_duplicate",
            "tok_shuffled",
            "tok_late_1m",
            "tok_forged",
            "tok_rotated");

    /** Its bank takes longer than an order may. */
    static final String SLOW_CARD = "tok_slow_35s";

    private static final int TOO_MANY = 10;
    private static final int SHELF = 25;
    private static final long WEALTH = 10_000_000_00L;
    private static final int CUSTOMERS = 20;
    /** Who would come then does not, and is counted. For {@link #PATIENCE} of silence at the default rate, and more. */
    private static final int MOST_UNDER_WAY = 4000;

    /** Is in a 503 that keeps its promise, and the lab holds the services to it. */
    private static final String NOTHING_WAS_CHANGED = "Nothing was changed";

    private static final Duration ANSWER = Duration.ofSeconds(10);
    /** For how long a client asks again; after that it will never know. */
    private static final Duration PATIENCE = Duration.ofSeconds(25);

    private static final int FIRST_PAUSE_MILLIS = 250;
    private static final int LONGEST_PAUSE_MILLIS = 10_000;
    private static final JsonMapper JSON = new JsonMapper();

    private final URI orders;
    private final URI inventory;
    private final URI payments;
    private final OperationHistory history;
    private final int perSecond;
    private final Random random;
    private final List<String> rich;
    private final List<String> poor;
    private final ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor();
    private final Semaphore underWay = new Semaphore(MOST_UNDER_WAY);
    private final AtomicLong offered = new AtomicLong();
    private final AtomicLong notOffered = new AtomicLong();
    /** When the next repetition is free to go, on the clock of {@link System#nanoTime}. */
    private final AtomicLong nextRepetition = new AtomicLong(System.nanoTime());

    private final long betweenRepetitions;
    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(2))
            .build();
    /** When clients stop asking for answers that they did not get, on the clock of {@link System#nanoTime}. */
    private volatile long giveUpAt = Long.MAX_VALUE;

    private int people;

    /** @param perSecond how many operations begin, and how many are repeated at most */
    public Workload(RunningPlatform system, OperationHistory history, long seed, int perSecond) {
        this.orders = system.url("order-service", "/");
        this.inventory = system.url("inventory-service", "/");
        this.payments = system.url("payment-service", "/");
        this.history = history;
        this.perSecond = perSecond;
        this.betweenRepetitions = TimeUnit.SECONDS.toNanos(1) / perSecond;
        this.random = new Random(seed);
        this.rich = customers(CUSTOMERS);
        this.poor = customers(CUSTOMERS);
    }

    private List<String> customers(int number) {
        return IntStream.range(0, number)
                .mapToObj(_ ->
                        new UUID(random.nextLong() & ~0xF000L | 0x7000L, random.nextLong() >>> 2 | 1L << 63).toString())
                .toList();
    }

    /** Fills catalogue, shelves and accounts; nothing is broken yet, so everything must succeed. */
    public void prepare() throws InterruptedException {
        for (String sku : List.of("plenty-1", "plenty-2", "plenty-3", "short", "hot-1", "hot-2")) {
            expect(send(
                    "PUT",
                    orders.resolve("products/" + sku),
                    null,
                    Map.of("name", sku, "price", Map.of("amount", PRICE, "currency", "EUR"))));
        }
        for (var stock : FIXED_STOCK.entrySet()) {
            expect(send(
                    "PUT", inventory.resolve("stock/" + stock.getKey()), null, Map.of("available", stock.getValue())));
        }
        CONTENDED.forEach(sku -> expect(restock(sku)));
        rich.forEach(customer -> expect(deposit(customer, "opening", WEALTH)));
    }

    private static void expect(Answer answer) {
        if (answer.outcome != Outcome.OK) {
            throw new CommandFailedException("the shop could not be prepared: HTTP " + answer.status);
        }
    }

    private static void expect(Operation operation) {
        if (operation.outcome() != Outcome.OK) {
            throw new CommandFailedException("the shop could not be prepared: HTTP " + operation.status());
        }
    }

    /** Starts new operations at the rate, for so long and for as long as it is wanted; returns when the last has begun. */
    public Duration run(Duration atLeast, BooleanSupplier wanted) throws InterruptedException {
        long start = System.nanoTime();
        long number = atLeast.toMillis() * perSecond / 1000;
        for (long i = 0; i < number || wanted.getAsBoolean(); i++) {
            long due = start + i * TimeUnit.SECONDS.toNanos(1) / perSecond;
            TimeUnit.NANOSECONDS.sleep(Math.max(0, due - System.nanoTime()));
            Runnable next = next();
            if (underWay.tryAcquire()) {
                offered.incrementAndGet();
                clients.submit(() -> {
                    try {
                        next.run();
                    } finally {
                        underWay.release();
                    }
                });
            } else {
                notOffered.incrementAndGet();
            }
        }
        return Duration.ofNanos(System.nanoTime() - start);
    }

    /** Returns when all operations have been answered, or have given up. */
    public void finish(Duration patience) throws InterruptedException {
        giveUpAt = System.nanoTime() + patience.toNanos();
        clients.shutdown();
        clients.awaitTermination(patience.toSeconds() + 30, TimeUnit.SECONDS);
    }

    /** One more order, of what there is plenty of: when all else is over, it tells rest from death. */
    public void placeLast() {
        place(rich.getFirst(), "chaos-last", Intent.CONFIRMED, Map.of("plenty-1", 1));
    }

    /** Operations that began. */
    public long offered() {
        return offered.get();
    }

    /** Operations that would have begun, had fewer been without an answer. */
    public long notOffered() {
        return notOffered.get();
    }

    /** All that is random is drawn here, by one thread: the same seed asks for the same things in the same order. */
    private Runnable next() {
        String key = "chaos-" + new UUID(random.nextLong(), random.nextLong());
        String customer = rich.get(random.nextInt(CUSTOMERS));
        String sku = "plenty-" + random.nextInt(1, 4);
        int quantity = random.nextInt(1, 4);
        int delay = random.nextInt(600);
        String card = GOOD_CARDS.get(random.nextInt(GOOD_CARDS.size()));
        int dice = random.nextInt(100);
        if (dice < 39) {
            return () -> place(customer, key, Intent.CONFIRMED, Map.of(sku, quantity));
        } else if (dice < 40) {
            // Given up at the deadline, unless that was missed too; and what the bank does afterwards is undone.
            return () -> place(customer, key, Intent.ANY, Map.of(sku, quantity), SLOW_CARD);
        } else if (dice < 46) {
            return () -> place(customer, key, Intent.CONFIRMED, Map.of(sku, quantity), card);
        } else if (dice < 48) {
            return () -> place(customer, key, Intent.REJECTED, Map.of(sku, quantity), declined(card));
        } else if (dice < 50) {
            return () -> place(customer, key, Intent.CONFIRMED, Map.of(sku, quantity), card)
                    .ifPresent(order -> cancel(order, delay));
        } else if (dice < 58) {
            return () -> place(customer, key, Intent.REJECTED, Map.of(sku, quantity, "short", TOO_MANY));
        } else if (dice < 66) {
            String pauper = poor.get(random.nextInt(CUSTOMERS));
            return () -> place(pauper, key, Intent.REJECTED, Map.of(sku, quantity));
        } else if (dice < 74) {
            String hot = CONTENDED.get(random.nextInt(CONTENDED.size()));
            return () -> place(customer, key, Intent.ANY, Map.of(hot, quantity));
        } else if (dice < 88) {
            return () -> place(customer, key, Intent.CONFIRMED, Map.of(sku, quantity))
                    .ifPresent(order -> cancel(order, delay));
        } else if (dice < 94) {
            return () -> {
                clients.submit(() -> place(customer, key, Intent.CONFIRMED, Map.of(sku, quantity)));
                place(customer, key, Intent.CONFIRMED, Map.of(sku, quantity));
            };
        } else if (dice < 96) {
            return () -> deposit(customer, key, quantity);
        } else if (dice < 98) {
            var person = new TestPerson(++people);
            return () -> register(person, key).filter(_ -> person.forgotten()).ifPresent(id -> {
                if (pause(delay)) {
                    forget(person, id);
                }
            });
        }
        String hot = CONTENDED.get(random.nextInt(CONTENDED.size()));
        return () -> restock(hot);
    }

    private Optional<String> place(String customer, String key, Intent intent, Map<String, Integer> lines) {
        return place(customer, key, intent, lines, null);
    }

    /** @param card to pay with, or null to pay from the balance */
    private Optional<String> place(
            String customer, String key, Intent intent, Map<String, Integer> lines, String card) {
        var body = new HashMap<String, Object>();
        body.put("customerId", customer);
        body.put(
                "lines",
                lines.entrySet().stream()
                        .map(line -> Map.of("sku", line.getKey(), "quantity", line.getValue()))
                        .toList());
        body.put("paymentMethod", card == null ? "BALANCE" : "CARD");
        if (card != null) {
            body.put("cardToken", card);
        }
        return Optional.ofNullable(repeated(
                        () -> history.invoke(
                                Action.PLACE,
                                customer,
                                key,
                                intent,
                                lines.values().iterator().next()),
                        () -> send("POST", orders.resolve("orders"), key, body))
                .order());
    }

    /** The card that behaves alike, but is declined. */
    private static String declined(String card) {
        return card.equals("tok_ok") ? "tok_declined" : card + "_declined";
    }

    private void cancel(String order, int delayMillis) {
        if (!pause(delayMillis)) {
            return;
        }
        repeated(
                () -> history.invoke(Action.CANCEL, order, null, Intent.ANY, 0),
                () -> send("POST", orders.resolve("orders/" + order + "/cancel"), null, null));
    }

    private Optional<String> register(TestPerson person, String key) {
        return Optional.ofNullable(repeated(
                        () -> history.invoke(Action.REGISTER, person.mark(), key, Intent.ANY, 0),
                        () -> send("POST", orders.resolve("customers"), key, person.registration()))
                .order());
    }

    private void forget(TestPerson person, String id) {
        repeated(
                () -> history.invoke(Action.FORGET, person.mark(), null, Intent.ANY, 0),
                () -> send("DELETE", orders.resolve("customers/" + id), null, null));
    }

    private Operation deposit(String customer, String key, long amount) {
        return repeated(
                () -> history.invoke(Action.DEPOSIT, customer, key, Intent.ANY, amount),
                () -> send(
                        "POST",
                        payments.resolve("accounts/" + customer + "/deposits"),
                        key,
                        Map.of("amount", Map.of("amount", amount, "currency", "EUR"))));
    }

    private Operation restock(String sku) {
        return repeated(
                () -> history.invoke(Action.RESTOCK, sku, null, Intent.ANY, SHELF),
                () -> send("PUT", inventory.resolve("stock/" + sku), null, Map.of("available", SHELF)));
    }

    private interface Attempt {
        Answer make();
    }

    private Operation repeated(java.util.function.Supplier<Operation> invocation, Attempt attempt) {
        long lastMoment = System.nanoTime() + PATIENCE.toNanos();
        int pause = FIRST_PAUSE_MILLIS;
        boolean inDoubt = false;
        while (true) {
            var invoked = invocation.get();
            var answer = attempt.make();
            var operation = history.complete(invoked, answer.outcome, answer.status, answer.id);
            int wanted = ThreadLocalRandom.current().nextInt(pause / 2, pause);
            inDoubt |= operation.outcome() == Outcome.UNKNOWN;
            // Who was not heard this time may have been heard before.
            boolean known = operation.outcome() == Outcome.OK
                    || operation.outcome() == Outcome.FAIL && !(inDoubt && answer.unheard());
            if (known
                    || !pause(Math.max(wanted, answer.retryAfterMillis))
                    || !pause(untilItsTurn())
                    || System.nanoTime() - lastMoment > 0
                    || System.nanoTime() > giveUpAt) {
                return operation;
            }
            pause = Math.min(2 * pause, LONGEST_PAUSE_MILLIS);
        }
    }

    private int untilItsTurn() {
        long now = System.nanoTime();
        long turn = nextRepetition.getAndUpdate(next -> Math.max(next, now) + betweenRepetitions);
        return (int) TimeUnit.NANOSECONDS.toMillis(Math.max(0, turn - now));
    }

    private static boolean pause(int millis) {
        try {
            TimeUnit.MILLISECONDS.sleep(millis);
            return true;
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /** @param id of the order or customer in it */
    private record Answer(Outcome outcome, int status, String id, int retryAfterMillis) {
        static Answer promisingNothing(int status, int retryAfterMillis) {
            return new Answer(Outcome.UNKNOWN, status, null, retryAfterMillis);
        }

        /** It did not happen, and may be asked for again. */
        static Answer unheard(int status, int retryAfterMillis) {
            return new Answer(Outcome.FAIL, status, null, retryAfterMillis);
        }

        boolean unheard() {
            return outcome == Outcome.FAIL && status / 100 != 4;
        }
    }

    private Answer send(String method, URI url, String key, Object body) {
        try {
            var request = HttpRequest.newBuilder(url)
                    .timeout(ANSWER)
                    .method(
                            method,
                            body == null
                                    ? BodyPublishers.noBody()
                                    : BodyPublishers.ofString(JSON.writeValueAsString(body)));
            if (body != null) {
                request.header("Content-Type", "application/json");
            }
            if (key != null) {
                request.header("Idempotency-Key", key);
            }
            var answer = http.send(request.build(), BodyHandlers.ofString());
            int status = answer.statusCode();
            int retryAfter = (int) TimeUnit.SECONDS.toMillis(
                    answer.headers().firstValueAsLong("Retry-After").orElse(0));
            return switch (status / 100) {
                case 2 -> new Answer(Outcome.OK, status, idIn(answer.body()), 0);
                case 4 ->
                    status == 429
                            ? Answer.promisingNothing(status, retryAfter)
                            : new Answer(Outcome.FAIL, status, null, 0);
                default ->
                    answer.body().contains(NOTHING_WAS_CHANGED)
                            ? Answer.unheard(status, retryAfter)
                            : Answer.promisingNothing(status, retryAfter);
            };
        } catch (ConnectException | HttpConnectTimeoutException _) {
            return Answer.unheard(0, 0); // there was no connection to send it by
        } catch (IOException _) {
            return Answer.promisingNothing(0, 0);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            return Answer.promisingNothing(0, 0);
        }
    }

    private static String idIn(String body) throws IOException {
        return JSON.readTree(body).path("id").asText(null);
    }

    @Override
    public void close() {
        clients.shutdownNow();
        http.shutdownNow();
    }
}
