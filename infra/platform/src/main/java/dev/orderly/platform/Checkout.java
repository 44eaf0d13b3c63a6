package dev.orderly.platform;

import java.nio.file.Path;

/** The checkout that {@code ./orderly} is in. Scripts and tests name it by {@code -Dorderly.checkout}. */
public final class Checkout {
    private Checkout() {}

    /** Its folder. */
    public static Path path() {
        String checkout = System.getProperty("orderly.checkout");
        if (checkout == null) {
            throw new StartFailure("start me by ./orderly, which says where the checkout is (-Dorderly.checkout)");
        }
        return Path.of(checkout).toAbsolutePath().normalize();
    }

    /** The state folder: what --data says, or its usual place. */
    public static Path data(Path option) {
        return option == null
                ? path().resolve(".orderly")
                : option.toAbsolutePath().normalize();
    }
}
