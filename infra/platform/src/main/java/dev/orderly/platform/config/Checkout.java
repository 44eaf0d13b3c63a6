package dev.orderly.platform.config;

import java.io.File;
import java.nio.file.Path;

/** The checkout that {@code ./orderly} is in. Scripts and tests name it by {@code -Dorderly.checkout}. */
public final class Checkout {
    /** Whether this runs from jars, as after a whole build, or from classes, as tests do during one. */
    private static final boolean PACKAGED = Checkout.class
            .getProtectionDomain()
            .getCodeSource()
            .getLocation()
            .getPath()
            .endsWith(".jar");

    private Checkout() {}

    public static Path path() {
        String checkout = System.getProperty("orderly.checkout");
        if (checkout == null) {
            throw new CommandFailedException(
                    "start me by ./orderly, which says where the checkout is (-Dorderly.checkout)");
        }
        return Path.of(checkout).toAbsolutePath().normalize();
    }

    /** The build directory of a module of {@code infra}. */
    public static Path target(String module) {
        return path().resolve("infra").resolve(module).resolve("target");
    }

    /** The class path to start a process of a module of {@code infra} with. */
    public static String classPath(String module) {
        Path target = target(module);
        return target.resolve(PACKAGED ? module + ".jar" : "classes") + File.pathSeparator + target.resolve("lib")
                + "/*";
    }

    /** The state directory: what --data says, or the default. */
    public static Path data(Path option) {
        return option == null
                ? path().resolve(".orderly")
                : option.toAbsolutePath().normalize();
    }
}
