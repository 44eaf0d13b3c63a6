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

    Product(String sku) {
        this.sku = sku;
    }

    /** The prices of those of the products that exist. */
    public static Map<String, Money> prices(Collection<String> skus) {
        // An array, not "in (…)": one prepared statement for any number of products.
        return Panache.getSession()
                .createNativeQuery("SELECT * FROM product WHERE sku = ANY (:skus)", Product.class)
                .setParameter("skus", skus.toArray(String[]::new))
                .getResultStream()
                .collect(Collectors.toMap(Product::sku, Product::price));
    }

    void offer(String newName, Money newPrice) {
        name = newName;
        price = newPrice.amount();
        currency = newPrice.currency().getCurrencyCode();
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
