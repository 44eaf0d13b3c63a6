package dev.orderly.flashsale;

import static dev.orderly.database.SqlArrays.column;
import static java.time.ZoneOffset.UTC;

import dev.orderly.database.DatabaseMigration;
import dev.orderly.flashsale.FlashSale.Outcome;
import dev.orderly.flashsale.FlashSale.Ticket;
import io.quarkus.scheduler.Scheduled;
import io.quarkus.scheduler.Scheduled.ConcurrentExecution;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.Connection;
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

/** The sales and their tickets; and the sales once more in memory, for a crowd that the database could not answer. */
@ApplicationScoped
class FlashSales {

    private static final Logger LOG = Logger.getLogger(FlashSales.class);

    private final DataSource database;
    private volatile Map<String, FlashSale> remembered = Map.of();

    FlashSales(DataSource database) {
        this.database = database;
    }

    /** As it was a moment ago; touches no database. */
    Optional<FlashSale> remembered(String id) {
        return Optional.ofNullable(remembered.get(id));
    }

    /** Also after each batch that this instance has decided: what another has decided is known a second later. */
    @Scheduled(every = "1s", concurrentExecution = ConcurrentExecution.SKIP, skipExecutionIf = DatabaseMigration.class)
    void remember() {
        try (var connection = database.getConnection();
                var select = connection.prepareStatement(
                        "SELECT * FROM flash_sale WHERE closes_at > now() - interval '1 day'");
                var rows = select.executeQuery()) {
            var sales = new HashMap<String, FlashSale>();
            while (rows.next()) {
                sales.put(rows.getString("id"), sale(rows));
            }
            remembered = Map.copyOf(sales);
        } catch (SQLException e) {
            LOG.warnf("flash sales are as they were: %s", e.getMessage());
        }
    }

    /** Announces a sale; false when there is another of this id. */
    boolean announce(FlashSale sale) throws SQLException {
        try (var connection = database.getConnection();
                var insert = connection.prepareStatement("""
                        INSERT INTO flash_sale (id, sku, units, opens_at, closes_at) VALUES (?, ?, ?, ?, ?)
                        ON CONFLICT (id) DO UPDATE SET id = excluded.id
                        WHERE (flash_sale.sku, flash_sale.units, flash_sale.opens_at, flash_sale.closes_at)
                            = (excluded.sku, excluded.units, excluded.opens_at, excluded.closes_at)
                        """)) {
            insert.setString(1, sale.id());
            insert.setString(2, sale.sku());
            insert.setInt(3, sale.units());
            insert.setObject(4, sale.opensAt().atOffset(UTC));
            insert.setObject(5, sale.closesAt().atOffset(UTC));
            var announced = insert.executeUpdate() == 1;
            remember();
            return announced;
        }
    }

    /** Locked until the current transaction ends: one batch of a sale is decided at a time. */
    Optional<FlashSale> lock(String id) throws SQLException {
        try (var connection = database.getConnection();
                var select = connection.prepareStatement("SELECT * FROM flash_sale WHERE id = ? FOR UPDATE")) {
            select.setString(1, id);
            try (var rows = select.executeQuery()) {
                return rows.next() ? Optional.of(sale(rows)) : Optional.empty();
            }
        }
    }

    /** Those of the customers who have a ticket already. */
    Set<UUID> served(String sale, Collection<UUID> customers) throws SQLException {
        try (var connection = database.getConnection();
                var select = connection.prepareStatement(
                        "SELECT customer_id FROM flash_sale_ticket WHERE sale_id = ? AND customer_id = ANY (?)")) {
            select.setString(1, sale);
            select.setObject(2, customers.toArray(UUID[]::new));
            var served = new HashSet<UUID>();
            try (var rows = select.executeQuery()) {
                while (rows.next()) {
                    served.add(rows.getObject(1, UUID.class));
                }
            }
            return served;
        }
    }

    /** Stores what was decided about a sale that the current transaction has locked. */
    void decided(String sale, Collection<Ticket> tickets, int granted, long nextOffset) throws SQLException {
        try (var connection = database.getConnection()) {
            add(connection, sale, tickets);
            try (var update = connection.prepareStatement("""
                    UPDATE flash_sale SET granted = granted + ?, next_offset = greatest(next_offset, ?) WHERE id = ?
                    """)) {
                update.setInt(1, granted);
                update.setLong(2, nextOffset);
                update.setString(3, sale);
                update.executeUpdate();
            }
        }
    }

    private static void add(Connection connection, String sale, Collection<Ticket> tickets) throws SQLException {
        try (var insert = connection.prepareStatement("""
                INSERT INTO flash_sale_ticket (sale_id, customer_id, outcome, order_id)
                SELECT ?, * FROM unnest(?::uuid[], ?::text[], ?::uuid[])
                """)) {
            insert.setString(1, sale);
            insert.setObject(2, column(tickets, Ticket::customerId, UUID[]::new));
            insert.setObject(3, column(tickets, ticket -> ticket.outcome().name(), String[]::new));
            insert.setObject(4, column(tickets, Ticket::orderId, UUID[]::new));
            insert.executeUpdate();
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
                        ? Optional.of(
                                new Ticket(customer, Outcome.valueOf(rows.getString(1)), rows.getObject(2, UUID.class)))
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
