package dev.orderly.lab.scenario;

import dev.orderly.lab.scenario.Prometheus.Sample;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** Panels below each other over one axis of time, as an SVG of lines and texts. */
final class OverloadChart {
    private static final int WIDTH = 860;
    private static final int LEFT = 50;
    private static final int RIGHT = 20;
    private static final int PANEL = 120;
    private static final int GAP = 50;
    private static final int MINUTE = 60;
    private static final String FIRST = "#1f5fa8";
    private static final String SECOND = "#c2410c";

    private final Instant start;
    private final long seconds;
    private final List<Instant> changes;
    private final StringBuilder background = new StringBuilder();
    private final StringBuilder panels = new StringBuilder();
    private int top = GAP;

    /** @param changes moments that are marked by a line */
    OverloadChart(Instant start, Instant end, List<Instant> changes) {
        this.start = start;
        this.seconds = Math.max(1, Duration.between(start, end).toSeconds());
        this.changes = changes;
    }

    /** Shades when there are samples. */
    void firing(List<Sample> samples) {
        for (var sample : samples) {
            // As wide as samples are apart: neighbours make one area.
            add(
                    background,
                    "<rect x='%.1f' y='%d' width='%.1f' height='HEIGHT' fill='#fee2e2'/>",
                    x(sample.at()),
                    GAP / 2,
                    5.0 * (WIDTH - LEFT - RIGHT) / seconds + 0.5);
        }
    }

    void panel(String title, List<Sample> first, String ofFirst, List<Sample> second, String ofSecond) {
        double highest = Math.max(
                1,
                1.1
                        * Math.max(
                                first.stream().mapToDouble(Sample::value).max().orElse(0),
                                second.stream().mapToDouble(Sample::value).max().orElse(0)));
        text(panels, LEFT, top - 8, "start", "#111", title);
        text(panels, WIDTH - RIGHT - 170, top - 8, "end", FIRST, ofFirst);
        text(panels, WIDTH - RIGHT, top - 8, "end", SECOND, ofSecond);
        text(panels, LEFT - 6, top + 10, "end", "#555", String.format(Locale.ROOT, "%.0f", highest));
        text(panels, LEFT - 6, top + PANEL, "end", "#555", "0");
        add(
                panels,
                "<rect x='%d' y='%d' width='%d' height='%d' fill='none' stroke='#ccc'/>",
                LEFT,
                top,
                WIDTH - LEFT - RIGHT,
                PANEL);
        line(first, highest, FIRST);
        line(second, highest, SECOND);
        top += PANEL + GAP;
    }

    private void line(List<Sample> samples, double highest, String colour) {
        var points = samples.stream()
                .map(sample -> String.format(
                        Locale.ROOT,
                        "%.1f,%.1f",
                        x(sample.at()),
                        top + PANEL - Math.max(0, sample.value()) / highest * PANEL))
                .collect(Collectors.joining(" "));
        add(panels, "<polyline points='%s' fill='none' stroke='%s' stroke-width='1.5'/>", points, colour);
    }

    private double x(Instant at) {
        double part = Duration.between(start, at).toSeconds() / (double) seconds;
        return LEFT + Math.clamp(part, 0, 1) * (WIDTH - LEFT - RIGHT);
    }

    private static void text(StringBuilder to, int x, int y, String anchor, String colour, String text) {
        add(to, "<text x='%d' y='%d' text-anchor='%s' fill='%s'>%s</text>", x, y, anchor, colour, text);
    }

    private static void add(StringBuilder to, String element, Object... values) {
        to.append(String.format(Locale.ROOT, element, values)).append('\n');
    }

    String svg() {
        int height = top - GAP + 25;
        var axis = new StringBuilder();
        for (var change : changes) {
            add(
                    axis,
                    "<line x1='%1$.1f' x2='%1$.1f' y1='%2$d' y2='%3$d' stroke='#888' stroke-dasharray='4 3'/>",
                    x(change),
                    GAP / 2,
                    top - GAP);
        }
        for (int minute = 0; minute * MINUTE <= seconds; minute++) {
            text(axis, (int) x(start.plusSeconds(minute * MINUTE)), height - 8, "middle", "#555", minute + " min");
        }
        return """
                <svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %1$d %2$d' font-family='sans-serif' font-size='12'>
                <rect width='%1$d' height='%2$d' fill='#fff'/>
                %3$s%4$s%5$s</svg>
                """.formatted(
                        WIDTH,
                        height,
                        background.toString().replace("HEIGHT", String.valueOf(top - GAP - GAP / 2)),
                        axis,
                        panels);
    }
}
