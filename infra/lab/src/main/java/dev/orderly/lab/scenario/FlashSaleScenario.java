package dev.orderly.lab.scenario;

import static dev.orderly.testkit.ShopClient.expect;
import static dev.orderly.testkit.ShopClient.json;
import static dev.orderly.testkit.ShopClient.send;

import dev.orderly.platform.ServiceDefinition;
import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.platform.config.PlatformSettings;
import dev.orderly.platform.postgres.ServiceDatabases;
import dev.orderly.platform.process.StatusFile;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.PoolOptions;
import io.vertx.core.http.RequestOptions;
import java.io.PrintStream;
import java.net.URI;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;

/**
 * A flash sale: all buyers at once, each once, and those in whose way others are again when they were told to. What is counted
 * is what the buyers were told; what is checked is what the databases say in the end.
 */
public final class FlashSaleScenario implements AutoCloseable {
    private static final int CONNECTIONS = 256;
    private static final int THREADS = 8;
    private static final int MOST_TRIES = 5;
    private static final int KILLS = 2;
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final Duration LOOK = Duration.ofMillis(250);
    private static final int PRICE = 1;

    private final PlatformSettings settings;
    private final ServiceDatabases databases;
    private final URI orders;
    private final URI inventory;
    private final PrintStream out;
    private final Vertx vertx = Vertx.vertx(new VertxOptions().setEventLoopPoolSize(THREADS));
    private final HttpClient client = vertx.createHttpClient(
            new HttpClientOptions().setKeepAlive(true).setTcpNoDelay(true),
            new PoolOptions().setHttp1MaxSize(CONNECTIONS).setMaxWaitQueueSize(-1));

    /** What buyers were told. */
    private static final class Told {
        final AtomicLong accepted = new AtomicLong();
        final AtomicLong later = new AtomicLong();
        final AtomicLong soldOut = new AtomicLong();
        final AtomicLong other = new AtomicLong();
        final AtomicLong waiting = new AtomicLong();

        long answers() {
            return accepted.get() + later.get() + soldOut.get() + other.get();
        }
    }

    public FlashSaleScenario(PlatformSettings settings, List<ServiceDefinition> services, PrintStream out) {
        this.settings = settings;
        this.databases = ServiceDatabases.of(settings);
        this.orders =
                ServiceDefinition.named(services, ServiceDefinition.ORDERS).url("/");
        this.inventory = ServiceDefinition.named(services, "inventory-service").url("/");
        this.out = out;
    }

    /** Runs one sale, prints it, and says whether exactly the stock was sold, to as many customers. */
    public boolean run(int number, int buyers, int stock, boolean kill) throws InterruptedException {
        String sale = "rush-" + number;
        prepare(sale, buyers, stock);
        out.printf(
                "%nsale %d: %,d buyers for %,d units%s%n",
                number, buyers, stock, kill ? ", and inventory-service is killed" : "");
        var told = new Told();
        var free = new Semaphore(CONNECTIONS);
        var kills = new AtomicInteger();
        var killer = Thread.ofVirtual().unstarted(() -> killInventory(kills));
        if (kill) {
            killer.start();
        }
        var lags = new ArrayList<String>();
        var looking = Thread.ofVirtual().start(() -> look(sale, told, lags));
        long start = System.nanoTime();
        rush(buyers, buyer -> {
            free.acquire();
            told.waiting.incrementAndGet();
            buy(sale, customer(number, buyer), 1, told, free);
        });
        long rushed = System.nanoTime() - start;
        while (told.waiting.get() > 0) {
            TimeUnit.MILLISECONDS.sleep(10);
        }
        long answered = System.nanoTime() - start;
        boolean drained = awaitDrained(sale, stock);
        long ended = System.nanoTime() - start;
        killer.interrupt();
        looking.interrupt();
        looking.join();
        boolean right = print(sale, buyers, stock, told, lags, rushed, answered, ended);
        if (kill) {
            out.printf("inventory-service was killed %d times%n", kills.get());
        }
        return right && drained && (!kill || kills.get() > 0);
    }

    private interface Buyer {
        void come(int number) throws InterruptedException;
    }

    /** By threads of their own, each of which Vert.x gives an event loop: one alone is no crowd on a machine that is busy. */
    private static void rush(int buyers, Buyer buyer) throws InterruptedException {
        try (var threads = Executors.newFixedThreadPool(THREADS)) {
            threads.invokeAll(IntStream.range(0, THREADS)
                    .mapToObj(first -> (Callable<Void>) () -> {
                        for (int number = first; number < buyers; number += THREADS) {
                            buyer.come(number);
                        }
                        return null;
                    })
                    .toList());
        }
    }

    private void prepare(String sale, int buyers, int stock) throws InterruptedException {
        expect(send(
                "PUT",
                orders.resolve("products/" + sale),
                Map.of("name", "Console", "price", Map.of("amount", PRICE, "currency", "EUR"))));
        expect(send("PUT", inventory.resolve("stock/" + sale), Map.of("available", stock)));
        // By hand: twenty thousand deposits by HTTP would take longer than the sale.
        execute("payments", """
                WITH paid AS (
                    INSERT INTO transfer (kind, from_account, to_account, amount, currency, customer_balance, idempotency_key, occurred_at)
                    SELECT 'DEPOSIT', 'bank', 'customer:' || id, %1$d, 'EUR', %1$d, 'rush-' || id, now()
                    FROM (SELECT ('0198c6a2-0000-7000-%2$s-' || lpad(n::text, 12, '0'))::uuid AS id FROM generate_series(0, %3$d) AS n)
                )
                INSERT INTO balance (customer_id, currency, amount)
                SELECT ('0198c6a2-0000-7000-%2$s-' || lpad(n::text, 12, '0'))::uuid, 'EUR', %1$d FROM generate_series(0, %3$d) AS n
                ON CONFLICT DO NOTHING
                """.formatted(PRICE, group(sale), buyers - 1));
        expect(send(
                "PUT",
                orders.resolve("flash-sales/" + sale),
                Map.of(
                        "sku",
                        sale,
                        "units",
                        stock,
                        "opensAt",
                        Instant.now().minusSeconds(60).toString(),
                        "closesAt",
                        Instant.now().plusSeconds(3600).toString())));
    }

    /** So that each sale has buyers of its own. */
    private static String group(String sale) {
        return "8%03d".formatted(Integer.parseInt(sale.substring(sale.indexOf('-') + 1)) % 1000);
    }

    private static String customer(int run, int number) {
        return "0198c6a2-0000-7000-8%03d-%012d".formatted(run % 1000, number);
    }

    private void buy(String sale, String customer, int attempt, Told told, Semaphore free) {
        client.request(new RequestOptions()
                        .setMethod(HttpMethod.POST)
                        .setHost(orders.getHost())
                        .setPort(orders.getPort())
                        .setURI("/flash-sales/" + sale + "/orders"))
                .compose(request -> request.putHeader("Content-Type", "application/json")
                        .send(Buffer.buffer("{\"customerId\":\"" + customer + "\"}")))
                .compose(response -> response.body().map(response))
                .onComplete(answer -> {
                    if (attempt == 1) {
                        free.release();
                    }
                    int status = answer.succeeded() ? answer.result().statusCode() : 0;
                    boolean again = attempt < MOST_TRIES && status != 202 && status != 410;
                    switch (status) {
                        case 202 -> told.accepted.incrementAndGet();
                        case 429 -> told.later.incrementAndGet();
                        case 410 -> told.soldOut.incrementAndGet();
                        default -> told.other.incrementAndGet();
                    }
                    if (again) {
                        var after = answer.succeeded() ? answer.result().getHeader("Retry-After") : null;
                        vertx.setTimer(
                                1000L * (after == null ? 1 : Long.parseLong(after)),
                                _ -> buy(sale, customer, attempt + 1, told, free));
                    } else {
                        told.waiting.decrementAndGet();
                    }
                });
    }

    private void killInventory(AtomicInteger kills) {
        try {
            for (int i = 0; i < KILLS; i++) {
                TimeUnit.MILLISECONDS.sleep(ThreadLocalRandom.current().nextInt(100, 2_000));
                StatusFile.read(settings.data()).orElseThrow().parts().stream()
                        .filter(part -> part.name().equals("inventory-service") && part.pid() != 0)
                        .flatMap(part -> ProcessHandle.of(part.pid()).stream())
                        .filter(ProcessHandle::destroyForcibly)
                        .forEach(_ -> kills.incrementAndGet());
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt(); // the sale is over
        }
    }

    /** The lag curve: who is in line, and whose order has not ended. */
    private void look(String sale, Told told, List<String> lags) {
        long start = System.nanoTime();
        try (var connection = databases.connect("orders");
                var select = connection.prepareStatement("""
                        SELECT (SELECT count(*) FROM flash_sale_ticket WHERE sale_id = ?),
                               (SELECT count(*) FROM orders WHERE status = 'PENDING')
                        """)) {
            select.setString(1, sale);
            while (true) {
                long decided;
                long open;
                try (var row = select.executeQuery()) {
                    row.next();
                    decided = row.getLong(1);
                    open = row.getLong(2);
                }
                lags.add("%5.2f s  in line %,6d  orders open %,6d"
                        .formatted(
                                (System.nanoTime() - start) / 1e9, Math.max(0, told.accepted.get() - decided), open));
                if (decided >= told.accepted.get() && open == 0 && told.soldOut.get() > 0) {
                    return; // the rest of the curve is flat
                }
                TimeUnit.MILLISECONDS.sleep(LOOK.toMillis());
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt(); // the sale is over
        } catch (SQLException e) {
            throw new CommandFailedException("cannot look into orders: " + e.getMessage(), e);
        }
    }

    private boolean awaitDrained(String sale, int stock) throws InterruptedException {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (System.nanoTime() < end) {
            // Inventory hears of a confirmed order a moment after it is.
            if (confirmed(sale) >= stock
                    && databases.number("orders", "SELECT count(*) FROM orders WHERE status = 'PENDING'") == 0
                    && databases.number("inventory", "SELECT reserved FROM stock WHERE sku = '" + sale + "'") == 0) {
                return true;
            }
            TimeUnit.MILLISECONDS.sleep(LOOK.toMillis());
        }
        return false;
    }

    private long confirmed(String sale) {
        return databases.number(
                "orders",
                "SELECT count(*) FROM flash_sale_ticket JOIN orders ON order_id = orders.id WHERE status = 'CONFIRMED' AND sale_id = '"
                        + sale + "'");
    }

    private boolean print(
            String sale, int buyers, int stock, Told told, List<String> lags, long rushed, long answered, long ended)
            throws InterruptedException {
        var shelf = json(expect(send("GET", inventory.resolve("stock/" + sale), null)));
        long confirmed = confirmed(sale);
        long twice = databases.number(
                "orders",
                "SELECT count(*) FROM (SELECT customer_id FROM orders WHERE lines LIKE '%\"" + sale
                        + "\"%' GROUP BY 1 HAVING count(*) > 1)");
        lags.forEach(out::println);
        out.printf(
                "%,d first answers in %.2f s: %,.0f/s; all %,d answers in %.2f s: %,.0f/s%n",
                buyers,
                rushed / 1e9,
                buyers * 1e9 / rushed,
                told.answers(),
                answered / 1e9,
                told.answers() * 1e9 / answered);
        out.printf(
                "accepted %,d · told to come later %,d · told that it is sold out %,d · no answer %,d%n",
                told.accepted.get(), told.later.get(), told.soldOut.get(), told.other.get());
        out.printf(
                "sold %,d of %,d (stock: %,d available, %,d reserved, %,d sold); customers with two: %d; all ended after %.2f s%n",
                confirmed,
                stock,
                shelf.path("available").asLong(),
                shelf.path("reserved").asLong(),
                shelf.path("sold").asLong(),
                twice,
                ended / 1e9);
        boolean right = confirmed == stock
                && shelf.path("sold").asLong() == stock
                && shelf.path("available").asLong() == 0
                && shelf.path("reserved").asLong() == 0
                && twice == 0;
        out.println(right ? "right" : "WRONG");
        return right;
    }

    private void execute(String database, String sql) {
        try (var connection = databases.connect(database);
                var statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            throw new CommandFailedException("cannot prepare " + database + ": " + e.getMessage(), e);
        }
    }

    @Override
    public void close() {
        client.close();
        vertx.close();
    }
}
