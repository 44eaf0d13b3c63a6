package dev.orderly.lab.scenario;

import static com.github.freva.asciitable.HorizontalAlign.LEFT;

import com.github.freva.asciitable.AsciiTable;
import com.github.freva.asciitable.Column;
import com.github.freva.asciitable.ColumnData;
import dev.orderly.platform.Platform;
import dev.orderly.platform.StartCommand;
import dev.orderly.platform.config.Checkout;
import dev.orderly.platform.config.PlatformSettings;
import dev.orderly.testkit.RunningPlatform;
import dev.orderly.testkit.ShopClient;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;

/** A command that runs one use of the system on a fresh platform, which ends with it. */
abstract class Scenario extends StartCommand {

    /** Runs it, prints what happened, and returns whether everything was as it claims. */
    abstract boolean run(RunningPlatform system, ShopClient shop) throws InterruptedException;

    /** Whether Prometheus and what belongs to it have to be there. */
    boolean needsObservers() {
        return false;
    }

    @Override
    public final Integer call() throws InterruptedException {
        fresh = true;
        observe |= needsObservers();
        if (data == null) {
            data = Path.of(Checkout.path().toString(), ".orderly-scenario");
        }
        return super.call();
    }

    @Override
    protected Platform.Scope scope() {
        return Platform.Scope.WITHOUT_CONSOLE;
    }

    @Override
    protected final boolean endsWhenStopped() {
        return false;
    }

    @Override
    protected final int whenReady(PlatformSettings settings, Platform platform, String elapsed)
            throws InterruptedException {
        System.out.println("everything is ready after " + elapsed);
        try (var system = RunningPlatform.attach(settings.data())) {
            return run(system, new ShopClient(system::url, system.tokens())) ? 0 : 1;
        }
    }

    /** Prints a claim, and returns whether it holds. */
    static boolean check(String claim, boolean right) {
        System.out.println((right ? "right  " : "WRONG  ") + claim);
        return right;
    }

    static <T> String table(List<T> rows, List<ColumnData<T>> columns) {
        return AsciiTable.getTable(AsciiTable.NO_BORDERS, rows, columns);
    }

    static <T> ColumnData<T> text(String header, Function<T, String> value) {
        return new Column().header(header).headerAlign(LEFT).dataAlign(LEFT).with(value);
    }

    static <T> ColumnData<T> number(String header, Function<T, String> value) {
        return new Column().header(header).with(value);
    }
}
