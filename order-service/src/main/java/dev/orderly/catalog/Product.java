package dev.orderly.catalog;

import dev.orderly.events.Money;
import io.quarkus.hibernate.orm.panache.Panache;
import io.quarkus.hibernate.orm.panache.PanacheEntityBase;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import java.util.Collection;
import java.util.Map;
import java.util.stream.Collectors;

/** A product and its price: an order names products, never prices. */
@Entity
public class Product extends PanacheEntityBase {

    @Id
    private String sku;

    private String name;
    private long price;
    private String currency;

    /** For Hibernate. */
    protected Product() {}

    /** The prices of those of the products that exist. */
    public static Map<String, Money> prices(Collection<String> skus) {
        // An array, not "in (…)": one prepared statement for any number of products.
        return Panache.getSession()
                .createNativeQuery("SELECT * FROM product WHERE sku = ANY (:skus)", Product.class)
                .setParameter("skus", skus.toArray(String[]::new))
                .getResultStream()
                .collect(Collectors.toMap(Product::sku, Product::price));
    }

    /** Adds the product, or changes its name and price. */
    static void offer(String sku, String name, Money price) {
        // Of two who look for a new product first, and then add it, one would fail.
        Panache.getSession()
                .createNativeMutationQuery("""
                        INSERT INTO product (sku, name, price, currency) VALUES (:sku, :name, :price, :currency)
                        ON CONFLICT (sku) DO UPDATE
                        SET name = excluded.name, price = excluded.price, currency = excluded.currency
                        """)
                .setParameter("sku", sku)
                .setParameter("name", name)
                .setParameter("price", price.amount())
                .setParameter("currency", price.currency().getCurrencyCode())
                .executeUpdate();
    }

    String sku() {
        return sku;
    }

    String name() {
        return name;
    }

    Money price() {
        return Money.of(price, currency);
    }
}
