package dev.orderly.lab.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.github.freva.asciitable.AsciiTable;
import com.github.freva.asciitable.Column;
import com.github.freva.asciitable.HorizontalAlign;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.HdrHistogram.Histogram;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.BitmapEncoder.BitmapFormat;
import org.knowm.xchart.CategoryChartBuilder;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.internal.chartpart.Chart;

/**
 * What was measured: figures, each with its unit, in the order in which they came; and the curves behind
 * them. Written as JSON and CSV for programs, as one HTML file for people.
 */
final class BenchReport {
    private static final JsonMapper JSON = new JsonMapper();
    private static final double[] PERCENTILES = {0, 10, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 100};
    private static final int WIDTH = 760;
    private static final int HEIGHT = 360;

    private final List<Figure> figures = new ArrayList<>();
    private final List<Chart<?, ?>> charts = new ArrayList<>();

    /** @param higherIsBetter which of two compared values is the better */
    record Figure(String section, String name, double value, String unit, boolean higherIsBetter) {
        String shown() {
            return (value >= 1000
                            ? String.format(Locale.ROOT, "%,.0f", value)
                            : String.format(Locale.ROOT, value >= 100 ? "%.0f" : value >= 10 ? "%.1f" : "%.3f", value))
                    + " " + unit;
        }
    }

    void add(String section, String name, double value, String unit, boolean higherIsBetter) {
        figures.add(new Figure(section, name, value, unit, higherIsBetter));
    }

    void add(String section, String name, Histogram micros) {
        if (micros.getTotalCount() == 0) {
            return;
        }
        for (var percentile : Map.of("p50", 50.0, "p90", 90.0, "p99", 99.0, "max", 100.0).entrySet().stream()
                .sorted(Map.Entry.comparingByValue())
                .toList()) {
            add(
                    section,
                    name + " " + percentile.getKey(),
                    micros.getValueAtPercentile(percentile.getValue()) / 1000.0,
                    "ms",
                    false);
        }
    }

    /** Latency by percentile, a line for each histogram. */
    void chart(String title, Map<String, Histogram> lines) {
        var chart = new XYChartBuilder()
                .width(WIDTH)
                .height(HEIGHT)
                .title(title)
                .xAxisTitle("percentile")
                .yAxisTitle("ms")
                .build();
        lines.forEach((name, histogram) -> {
            var values = new double[PERCENTILES.length];
            for (int i = 0; i < values.length; i++) {
                values[i] = histogram.getValueAtPercentile(PERCENTILES[i]) / 1000.0;
            }
            chart.addSeries(name, PERCENTILES, values);
        });
        charts.add(chart);
    }

    void bars(String title, String unit, Map<String, Double> bars) {
        var chart = new CategoryChartBuilder()
                .width(WIDTH)
                .height(HEIGHT)
                .title(title)
                .yAxisTitle(unit)
                .build();
        chart.getStyler().setXAxisLabelRotation(30);
        chart.getStyler().setLegendVisible(false);
        chart.addSeries(unit, List.copyOf(bars.keySet()), List.copyOf(bars.values()));
        charts.add(chart);
    }

    String table() {
        return AsciiTable.getTable(
                AsciiTable.NO_BORDERS,
                figures,
                List.of(
                        left("").with(Figure::section),
                        left("figure").with(Figure::name),
                        new Column().header("value").with(Figure::shown)));
    }

    private static Column left(String header) {
        return new Column().header(header).headerAlign(HorizontalAlign.LEFT).dataAlign(HorizontalAlign.LEFT);
    }

    /** Writes report.json, report.csv and report.html, charts included, into the folder. */
    void write(Path folder, ObjectNode about) throws IOException {
        Files.createDirectories(folder);
        about.set("figures", JSON.valueToTree(figures));
        Files.writeString(
                folder.resolve("report.json"),
                JSON.writerWithDefaultPrettyPrinter().writeValueAsString(about) + "\n");
        Files.writeString(
                folder.resolve("report.csv"),
                figures.stream()
                        .map(f ->
                                "%s,%s,%s,%s%n".formatted(f.section(), f.name().replace(',', ';'), f.value(), f.unit()))
                        .collect(Collectors.joining("", "section,figure,value,unit\n", "")));
        about.remove("figures");
        var html = new StringBuilder("""
                <!doctype html><meta charset="utf-8"><title>Orderly: benchmark</title>
                <style>body{font:15px/1.5 system-ui;margin:2em auto;max-width:60em}
                td,th{text-align:left;padding:.1em 1em .1em 0}
                td:last-child{text-align:right}img{max-width:100%%;display:block;margin:1em 0}</style>
                <h1>Orderly: benchmark</h1><p>%s</p><table><tr><th><th>figure<th>value
                """.formatted(escaped(about.toString())));
        figures.forEach(f -> html.append(
                "<tr><td>%s<td>%s<td>%s%n".formatted(escaped(f.section()), escaped(f.name()), escaped(f.shown()))));
        html.append("</table>\n");
        for (var chart : charts) {
            html.append("<img alt=\"%s\" src=\"data:image/png;base64,%s\">%n"
                    .formatted(
                            escaped(chart.getTitle()),
                            Base64.getEncoder().encodeToString(BitmapEncoder.getBitmapBytes(chart, BitmapFormat.PNG))));
        }
        Files.writeString(folder.resolve("report.html"), html);
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace("\"", "&quot;");
    }

    /** Two reports side by side; a ratio above 1 says that the second is better. */
    static String compared(Path first, Path second) throws IOException {
        var before = read(first);
        var rows = new ArrayList<String[]>();
        for (var figure : read(second)) {
            var other = before.stream()
                    .filter(f ->
                            f.section().equals(figure.section()) && f.name().equals(figure.name()))
                    .findFirst();
            rows.add(new String[] {
                figure.section(),
                figure.name(),
                other.map(Figure::shown).orElse("-"),
                figure.shown(),
                other.map(o -> ratio(o, figure)).orElse("-")
            });
        }
        return AsciiTable.getTable(
                AsciiTable.NO_BORDERS,
                rows,
                List.of(
                        left("").with(row -> row[0]),
                        left("figure").with(row -> row[1]),
                        new Column().header(first.getFileName().toString()).with((String[] row) -> row[2]),
                        new Column().header(second.getFileName().toString()).with((String[] row) -> row[3]),
                        new Column().header("better by").with((String[] row) -> row[4])));
    }

    private static String ratio(Figure before, Figure after) {
        double ratio = after.higherIsBetter() ? after.value() / before.value() : before.value() / after.value();
        return Optional.of(ratio)
                .filter(Double::isFinite)
                .map(r -> String.format(Locale.ROOT, "%.2f", r))
                .orElse("-");
    }

    private static List<Figure> read(Path folder) throws IOException {
        var figures = new ArrayList<Figure>();
        for (JsonNode f : JSON.readTree(folder.resolve("report.json").toFile()).path("figures")) {
            figures.add(JSON.treeToValue(f, Figure.class));
        }
        return figures;
    }
}
