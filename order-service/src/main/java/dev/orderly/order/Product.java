package dev.orderly.order;

import dev.orderly.events.Money;
import io.quarkus.hibernate.orm.panache.PanacheEntityBase;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import java.util.Collection;
import java.util.Map;
import java.util.stream.Collectors;

/** What can be ordered, and what it costs: a customer names a product, never a price. */
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
    static Map<String, Money> prices(Collection<String> skus) {
        return Product.<Product>stream("sku in ?1", skus).collect(Collectors.toMap(Product::sku, Product::price));
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
