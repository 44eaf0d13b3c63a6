package dev.orderly.flashsale;

import static jakarta.enterprise.event.TransactionPhase.AFTER_SUCCESS;
import static java.time.ZoneOffset.UTC;

import dev.orderly.database.DatabaseMigration;
import dev.orderly.database.Rows;
import dev.orderly.flashsale.FlashSale.Ticket;
import dev.orderly.flashsale.FlashSale.TicketOutcome;
import io.quarkus.scheduler.Scheduled;
import io.quarkus.scheduler.Scheduled.ConcurrentExecution;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Event;
import jakarta.enterprise.event.Observes;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import javax.sql.DataSource;
import org.jboss.logging.Logger;

/** Sales and tickets; and a cache of the sales: the database could not answer a burst of buyers. */
@ApplicationScoped
class FlashSales {

    private static final Logger LOG = Logger.getLogger(FlashSales.class);

    /** Sales that have not ended a day ago: all of them are in memory. */
    static final int MAX_SALES = 1_000;

    private static final String CURRENT = "closes_at > now() - interval '1 day'";

    private final DataSource database;
    private final Event<SaleAnnounced> announced;
    private volatile Map<String, FlashSale> cache = Map.of();

    FlashSales(DataSource database, Event<SaleAnnounced> announced) {
        this.database = database;
        this.announced = announced;
    }

    /** As of the last refresh; makes no query. */
    Optional<FlashSale> cached(String id) {
        return Optional.ofNullable(cache.get(id));
    }

    /**
     * Also called after each batch and each announcement of this instance; those of another show within a
     * second. One at a time: what was read before a commit must not replace what was read after it.
     */
    @Scheduled(every = "1s", concurrentExecution = ConcurrentExecution.SKIP, skipExecutionIf = DatabaseMigration.class)
    synchronized void refreshCache() {
        try (var connection = database.getConnection();
                var select = connection.prepareStatement(
                        "SELECT * FROM flash_sale WHERE " + CURRENT + " ORDER BY closes_at LIMIT " + MAX_SALES);
                var rows = select.executeQuery()) {
            var sales = new HashMap<String, FlashSale>();
            while (rows.next()) {
                sales.put(rows.getString("id"), sale(rows));
            }
            cache = Map.copyOf(sales);
        } catch (SQLException e) {
            LOG.warnf("keeping stale flash sales in the cache: %s", e.getMessage());
        }
    }

    enum Announcement {
        ANNOUNCED,
        /** It was announced before, as it is. */
        KNOWN,
        /** There is another sale of this id. */
        ID_TAKEN,
        /** There are {@value #MAX_SALES} sales. */
        TOO_MANY
    }

    record SaleAnnounced() {}

    /** Buyers find the sale when the current transaction has been committed, not before. */
    Announcement announce(FlashSale sale) throws SQLException {
        try (var connection = database.getConnection();
                var insert = connection.prepareStatement("""
                        WITH current AS (SELECT count(*) AS sales FROM flash_sale WHERE %s),
                        announced AS (
                            INSERT INTO flash_sale (id, sku, units, opens_at, closes_at)
                            SELECT id, sku, units, opens_at, closes_at
                            FROM (VALUES (?, ?, ?, ?::timestamptz, ?::timestamptz))
                                AS sale (id, sku, units, opens_at, closes_at), current
                            WHERE sales < ? OR EXISTS (SELECT FROM flash_sale WHERE flash_sale.id = sale.id)
                            ON CONFLICT (id) DO UPDATE SET id = excluded.id
                            WHERE (flash_sale.sku, flash_sale.units, flash_sale.opens_at, flash_sale.closes_at)
                                = (excluded.sku, excluded.units, excluded.opens_at, excluded.closes_at)
                            RETURNING old.id IS NULL AS is_new
                        )
                        SELECT CASE
                            WHEN (SELECT is_new FROM announced) THEN 'ANNOUNCED'
                            WHEN EXISTS (SELECT FROM announced) THEN 'KNOWN'
                            WHEN EXISTS (SELECT FROM flash_sale WHERE id = ?) THEN 'ID_TAKEN'
                            ELSE 'TOO_MANY' END
                        """.formatted(CURRENT))) {
            insert.setString(1, sale.id());
            insert.setString(2, sale.sku());
            insert.setInt(3, sale.units());
            insert.setObject(4, sale.opensAt().atOffset(UTC));
            insert.setObject(5, sale.closesAt().atOffset(UTC));
            insert.setInt(6, MAX_SALES);
            insert.setString(7, sale.id());
            try (var row = insert.executeQuery()) {
                row.next();
                announced.fire(new SaleAnnounced());
                return Announcement.valueOf(row.getString(1));
            }
        }
    }

    void refreshCache(@Observes(during = AFTER_SUCCESS) SaleAnnounced event) {
        refreshCache();
    }

    /** Locked until the current transaction ends: one transaction at a time decides a batch of a sale. */
    Optional<FlashSale> lock(String id) throws SQLException {
        try (var connection = database.getConnection();
                var select = connection.prepareStatement("SELECT * FROM flash_sale WHERE id = ? FOR UPDATE")) {
            select.setString(1, id);
            try (var rows = select.executeQuery()) {
                return rows.next() ? Optional.of(sale(rows)) : Optional.empty();
            }
        }
    }

    /** Those of the customers who have a ticket. */
    Set<UUID> ticketHolders(String sale, Collection<UUID> customers) throws SQLException {
        try (var connection = database.getConnection();
                var select = connection.prepareStatement(
                        "SELECT customer_id FROM flash_sale_ticket WHERE sale_id = ? AND customer_id = ANY (?)")) {
            select.setString(1, sale);
            select.setObject(2, customers.toArray(UUID[]::new));
            var holders = new HashSet<UUID>();
            try (var rows = select.executeQuery()) {
                while (rows.next()) {
                    holders.add(rows.getObject(1, UUID.class));
                }
            }
            return holders;
        }
    }

    /** Saves the decisions about a sale that the current transaction has locked. */
    void saveDecisions(String sale, Collection<Ticket> tickets, int granted, long nextOffset) throws SQLException {
        Rows.of(tickets)
                .text("sale_id", _ -> sale)
                .uuid("customer_id", Ticket::customerId)
                .text("outcome", Ticket::outcome)
                .uuid("order_id", Ticket::orderId)
                .update(database, "INSERT INTO flash_sale_ticket (:columns) SELECT :columns FROM :rows");
        try (var connection = database.getConnection();
                var update = connection.prepareStatement("""
                        UPDATE flash_sale SET granted = granted + ?, next_offset = greatest(next_offset, ?) WHERE id = ?
                        """)) {
            update.setInt(1, granted);
            update.setLong(2, nextOffset);
            update.setString(3, sale);
            update.executeUpdate();
        }
    }

    Optional<Ticket> ticket(String sale, UUID customer) throws SQLException {
        try (var connection = database.getConnection();
                var select = connection.prepareStatement(
                        "SELECT outcome, order_id FROM flash_sale_ticket WHERE sale_id = ? AND customer_id = ?")) {
            select.setString(1, sale);
            select.setObject(2, customer);
            try (var rows = select.executeQuery()) {
                return rows.next()
                        ? Optional.of(new Ticket(
                                customer, TicketOutcome.valueOf(rows.getString(1)), rows.getObject(2, UUID.class)))
                        : Optional.empty();
            }
        }
    }

    private static FlashSale sale(ResultSet row) throws SQLException {
        return new FlashSale(
                row.getString("id"),
                row.getString("sku"),
                row.getInt("units"),
                row.getObject("opens_at", OffsetDateTime.class).toInstant(),
                row.getObject("closes_at", OffsetDateTime.class).toInstant(),
                row.getInt("granted"),
                row.getLong("next_offset"));
    }
}
