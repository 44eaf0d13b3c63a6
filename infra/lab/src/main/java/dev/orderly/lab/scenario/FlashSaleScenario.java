package dev.orderly.lab.scenario;

import static dev.orderly.testkit.ShopClient.expect;

import dev.orderly.lab.load.LoadClient;
import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.testkit.Await;
import dev.orderly.testkit.RunningPlatform;
import dev.orderly.testkit.ShopClient;
import io.vertx.core.buffer.Buffer;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * {@code ./orderly scenario flash-sale}: all buyers at once, each once; those whom the service asks to retry
 * later do so. What is counted is what the buyers were answered; what is checked is what the databases hold
 * in the end.
 */
@Command(
        name = "flash-sale",
        description = "Many buyers at once for few units: none is sold twice, first come, first served.")
public final class FlashSaleScenario extends Scenario {
    private static final int CONNECTIONS = 256;
    private static final int THREADS = 8;
    private static final int MAX_ATTEMPTS = 5;
    private static final long RETRY_MILLIS = 1_000;
    private static final int KILLS = 2;
    private static final Duration MAX_WAIT = Duration.ofMinutes(2);
    private static final Duration SAMPLE_INTERVAL = Duration.ofMillis(250);
    private static final int PRICE = 1;

    @Option(names = "--buyers", paramLabel = "N", defaultValue = "20000", description = "(default: ${DEFAULT-VALUE})")
    int buyers;

    @Option(names = "--stock", paramLabel = "N", defaultValue = "500", description = "(default: ${DEFAULT-VALUE})")
    int stock;

    @Option(
            names = "--runs",
            paramLabel = "N",
            defaultValue = "1",
            description = "Sales, one after the other. (default: ${DEFAULT-VALUE})")
    int runs;

    @Option(
            names = "--rehearsal",
            paramLabel = "N",
            defaultValue = "5000",
            description = "Buyers of a sale before the first: what is compiled then is not compiled in the burst."
                    + " 0 for none. (default: ${DEFAULT-VALUE})")
    int rehearsal;

    @Option(names = "--kill-inventory", description = "Kill inventory-service at random moments of each sale.")
    boolean kill;

    private RunningPlatform system;
    private ShopClient shop;
    private LoadClient client;

    /** Responses to the buyers of a sale. */
    private static final class Responses {
        final AtomicLong accepted = new AtomicLong();
        final AtomicLong retryLater = new AtomicLong();
        final AtomicLong soldOut = new AtomicLong();
        final AtomicLong failed = new AtomicLong();
        final AtomicLong waitingBuyers = new AtomicLong();

        long all() {
            return accepted.get() + retryLater.get() + soldOut.get() + failed.get();
        }
    }

    @Override
    boolean run(RunningPlatform platform, ShopClient shopClient) throws InterruptedException {
        system = platform;
        shop = shopClient;
        try (var loadClient = new LoadClient(system.url("order-service", "/"), CONNECTIONS)) {
            client = loadClient;
            boolean right = rehearsal == 0 || sell(0, rehearsal, Math.ceilDiv(rehearsal, 40), false);
            for (int number = 1; number <= runs; number++) {
                right &= sell(number, buyers, stock, kill);
            }
            return right;
        }
    }

    /** Runs one sale, prints it, and returns whether exactly the stock was sold, to as many customers. */
    private boolean sell(int number, int buyers, int stock, boolean kill) throws InterruptedException {
        String sale = "rush-" + number;
        // Each sale has buyers of its own.
        String customers = "0198c6a2-0000-7000-8%03d".formatted(number % 1000);
        prepare(sale, customers, buyers, stock);
        System.out.printf(
                "%nsale %d: %,d buyers for %,d units%s%n",
                number, buyers, stock, kill ? ", and inventory-service is killed" : "");
        var responses = new Responses();
        var kills = new AtomicInteger();
        var killer = Thread.ofVirtual().unstarted(() -> killInventory(kills));
        if (kill) {
            killer.start();
        }
        var lags = new ArrayList<String>();
        var sampler = Thread.ofVirtual().start(() -> sampleLag(sale, responses, lags));
        long start = System.nanoTime();
        sendAll(sale, customers, buyers, responses);
        long sent = System.nanoTime() - start;
        Await.within(MAX_WAIT, () -> responses.waitingBuyers.get() == 0);
        long answered = System.nanoTime() - start;
        boolean drained = Await.within(MAX_WAIT, () -> isDrained(sale, stock));
        long ended = System.nanoTime() - start;
        killer.interrupt();
        sampler.interrupt();
        sampler.join();
        lags.forEach(System.out::println);
        System.out.printf(
                "%,d first responses in %.2f s: %,.0f/s; all %,d in %.2f s: %,.0f/s; all ended after %.2f s%n",
                buyers,
                sent / 1e9,
                buyers * 1e9 / sent,
                responses.all(),
                answered / 1e9,
                responses.all() * 1e9 / answered,
                ended / 1e9);
        System.out.printf(
                "accepted %,d · retry later %,d · sold out %,d · no response %,d%n",
                responses.accepted.get(), responses.retryLater.get(), responses.soldOut.get(), responses.failed.get());
        return isExactlySold(sale, stock)
                & drained
                & (!kill || check("inventory-service was killed %d times".formatted(kills.get()), kills.get() > 0));
    }

    private void prepare(String sale, String customers, int buyers, int stock) throws InterruptedException {
        shop.putProduct(sale, "Console", PRICE);
        shop.putStock(sale, stock);
        // By SQL: twenty thousand deposits by HTTP would take longer than the sale.
        system.execute("payments", """
                WITH paid AS (
                    INSERT INTO transfer (kind, from_account, to_account, amount, currency, customer_balance,
                                          key_hash, occurred_at)
                    SELECT 'DEPOSIT', 'bank', 'customer:' || id, %1$d, 'EUR', %1$d,
                           sha256(convert_to('rush-' || id, 'UTF8')), now()
                    FROM (SELECT ('%2$s-' || lpad(n::text, 12, '0'))::uuid AS id FROM generate_series(0, %3$d) AS n)
                )
                INSERT INTO balance (customer_id, currency, amount)
                SELECT ('%2$s-' || lpad(n::text, 12, '0'))::uuid, 'EUR', %1$d FROM generate_series(0, %3$d) AS n
                ON CONFLICT DO NOTHING
                """.formatted(PRICE, customers, buyers - 1));
        var opens = Instant.now().minusSeconds(60).toString();
        var closes = Instant.now().plusSeconds(3600).toString();
        expect(shop.asStaff(
                "PUT",
                system.url("order-service", "/flash-sales/" + sale),
                Map.of("sku", sale, "units", stock, "opensAt", opens, "closesAt", closes)));
        // Buyers have logged in before a sale opens.
        eachBuyer(customers, buyers, system.tokens()::of);
    }

    private interface Step {
        void of(String customer) throws InterruptedException;
    }

    /** By several threads: one alone makes no burst on a busy machine. */
    private static void eachBuyer(String customers, int buyers, Step step) throws InterruptedException {
        try (var threads = Executors.newFixedThreadPool(THREADS)) {
            var all = threads.invokeAll(IntStream.range(0, THREADS)
                    .mapToObj(first -> (Callable<Void>) () -> {
                        for (int number = first; number < buyers; number += THREADS) {
                            step.of("%s-%012d".formatted(customers, number));
                        }
                        return null;
                    })
                    .toList());
            for (var one : all) {
                one.get();
            }
        } catch (ExecutionException e) {
            throw new CommandFailedException("not every buyer could buy: " + e.getCause(), e);
        }
    }

    private void sendAll(String sale, String customers, int buyers, Responses responses) throws InterruptedException {
        var permits = new Semaphore(CONNECTIONS);
        eachBuyer(customers, buyers, customer -> {
            var bearer = system.tokens().bearer(customer);
            permits.acquire();
            responses.waitingBuyers.incrementAndGet();
            var body = Buffer.buffer("{\"customerId\":\"%s\"}".formatted(customer));
            buy(sale, bearer, body, 1, responses, permits);
        });
    }

    private void buy(String sale, String bearer, Buffer customer, int attempt, Responses responses, Semaphore permits) {
        client.post("/flash-sales/" + sale + "/orders", "application/json", bearer, customer)
                .otherwise(_ -> new LoadClient.Response(0, null, 0))
                .onSuccess(response -> {
                    if (attempt == 1) {
                        permits.release();
                    }
                    switch (response.status()) {
                        case 202 -> responses.accepted.incrementAndGet();
                        case 429 -> responses.retryLater.incrementAndGet();
                        case 410 -> responses.soldOut.incrementAndGet();
                        default -> responses.failed.incrementAndGet();
                    }
                    if (response.status() == 202 || response.status() == 410 || attempt == MAX_ATTEMPTS) {
                        responses.waitingBuyers.decrementAndGet();
                    } else {
                        client.after(
                                Math.max(RETRY_MILLIS, response.retryAfterMillis()),
                                () -> buy(sale, bearer, customer, attempt + 1, responses, permits));
                    }
                });
    }

    private void killInventory(AtomicInteger kills) {
        try {
            for (int i = 0; i < KILLS; i++) {
                TimeUnit.MILLISECONDS.sleep(ThreadLocalRandom.current().nextInt(100, 2_000));
                if (system.kill("inventory-service").pid() != 0) {
                    kills.incrementAndGet();
                }
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt(); // the sale is over
        } catch (IOException e) {
            throw new CommandFailedException("cannot kill inventory-service: " + e, e);
        }
    }

    /** The curve of the lag: tickets that are queued, and orders that have not ended. */
    private void sampleLag(String sale, Responses responses, List<String> lags) {
        long start = System.nanoTime();
        try (var connection = system.connect("orders");
                var select = connection.prepareStatement("""
                        SELECT (SELECT count(*) FROM flash_sale_ticket WHERE sale_id = ?),
                               (SELECT count(*) FROM orders WHERE status = 'PENDING')
                        """)) {
            select.setString(1, sale);
            long decided = 0;
            long pending = 1;
            // Until the rest of the curve is flat.
            while (decided < responses.accepted.get() || pending > 0 || responses.soldOut.get() == 0) {
                try (var row = select.executeQuery()) {
                    row.next();
                    decided = row.getLong(1);
                    pending = row.getLong(2);
                }
                lags.add("%5.2f s  queued %,6d  orders pending %,6d"
                        .formatted(
                                (System.nanoTime() - start) / 1e9,
                                Math.max(0, responses.accepted.get() - decided),
                                pending));
                TimeUnit.MILLISECONDS.sleep(SAMPLE_INTERVAL.toMillis());
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt(); // the sale is over
        } catch (SQLException e) {
            throw new CommandFailedException("cannot sample the lag: " + e.getMessage(), e);
        }
    }

    /** Inventory commits a reservation a moment after its order is confirmed. */
    private boolean isDrained(String sale, int stock) throws InterruptedException {
        return confirmed(sale) >= stock
                && system.number("orders", "SELECT count(*) FROM orders WHERE status = 'PENDING'") == 0
                && system.number("inventory", "SELECT reserved FROM stock WHERE sku = '" + sale + "'") == 0;
    }

    private long confirmed(String sale) {
        return system.number("orders", """
                SELECT count(*) FROM flash_sale_ticket JOIN orders ON order_id = orders.id
                WHERE status = 'CONFIRMED' AND sale_id = '%s'
                """.formatted(sale));
    }

    private boolean isExactlySold(String sale, int stock) throws InterruptedException {
        var now = shop.stock(sale);
        long confirmed = confirmed(sale);
        long twice = system.number("orders", """
                SELECT count(*) FROM
                    (SELECT customer_id FROM orders WHERE lines LIKE '%%"%s"%%' GROUP BY 1 HAVING count(*) > 1)
                """.formatted(sale));
        return check(
                "%,d of %,d confirmed; %s; customers with two: %d".formatted(confirmed, stock, now, twice),
                confirmed == stock && now.equals(new ShopClient.Stock(0, 0, stock)) && twice == 0);
    }
}
