package dev.orderly.e2e;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;

import com.deque.html.axecore.playwright.AxeBuilder;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.microsoft.playwright.APIResponse;
import com.microsoft.playwright.Browser;
import com.microsoft.playwright.BrowserContext;
import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.options.AriaRole;
import com.microsoft.playwright.options.ColorScheme;
import com.microsoft.playwright.options.RequestOptions;
import dev.orderly.platform.config.PlatformSettings;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;

/** A person with a browser of their own on a page of the console: what they can see and do there. */
final class Visitor implements AutoCloseable {
    static final int WIDE = 1280;
    static final int NARROW = 390;

    private static final int HEIGHT = 900;
    private static final Path SCREENSHOTS = Path.of("target", "screenshots");
    private static final JsonMapper JSON = new JsonMapper();

    final Page page;
    private final BrowserContext context;
    private final String console;
    private final List<String> errors = new CopyOnWriteArrayList<>();

    Visitor(Browser browser, int width, ColorScheme scheme) {
        console = "http://" + PlatformSettings.HOST + ":"
                + RunningSystem.platform().part("console").port();
        context = browser.newContext(new Browser.NewContextOptions()
                .setBaseURL(console)
                .setViewportSize(width, HEIGHT)
                .setColorScheme(scheme)
                .setLocale("en-GB"));
        page = context.newPage();
        page.onPageError(errors::add);
        page.onConsoleMessage(message -> {
            if (message.text().contains("Content Security Policy")) {
                errors.add(message.text());
            }
        });
    }

    Visitor(Browser browser) {
        this(browser, WIDE, ColorScheme.LIGHT);
    }

    /** Through the page of the identity provider. */
    Visitor logIn(String person) {
        page.navigate(console + "/login?next=%23/shop&person=" + person);
        page.locator("button[value='" + person + "']").click();
        assertThat(page.locator(".person")).hasText(person);
        return this;
    }

    /** A page of the console, by the fragment of its address. */
    Visitor open(String fragment) {
        page.navigate("about:blank"); // else only the fragment changes, and what is there may be the page before
        page.navigate(console + "/#/" + fragment);
        assertThat(page.locator(".menu, .bar .primary")).isVisible(); // it knows who is logged in
        return this;
    }

    Locator button(String name) {
        return page.getByRole(
                AriaRole.BUTTON, new Page.GetByRoleOptions().setName(name).setExact(true));
    }

    Locator main() {
        return page.locator("main");
    }

    /** What the page says about the state of the order that it shows. */
    Locator orderStatus() {
        return page.locator(".order-status");
    }

    /** One that is done by the button of this fault. */
    void inject(String fault) {
        open("faults");
        var button = page.locator("[data-kind='" + fault + "'] button");
        button.click();
        assertThat(page.locator(".toast"))
                .containsText(button.getAttribute("aria-label").replace("Do it: ", "") + ": ");
    }

    /** What a script of this page gets there, with this visitor's session. */
    APIResponse ask(String method, String path, Map<String, String> headers, Object body) {
        var request = RequestOptions.create().setMethod(method);
        headers.forEach(request::setHeader);
        return page.request().fetch(console + path, body == null ? request : request.setData(body));
    }

    JsonNode get(String path) {
        try {
            return JSON.readTree(ask("GET", path, Map.of(), null).body());
        } catch (IOException e) {
            throw new AssertionError(path + " is not answered by JSON", e);
        }
    }

    /** Rules that are broken in a way that keeps a person from using the page, each with where. */
    List<String> accessibilityProblems() {
        return new AxeBuilder(page)
                .analyze().getViolations().stream()
                        .filter(rule -> List.of("serious", "critical").contains(rule.getImpact()))
                        .map(rule ->
                                rule.getId() + " " + rule.getNodes().getFirst().getHtml())
                        .toList();
    }

    /** By how many pixels the page is wider than the screen. */
    int overflow() {
        return (Integer) page.evaluate("document.documentElement.scrollWidth - window.innerWidth");
    }

    void screenshot(String name) {
        page.screenshot(new Page.ScreenshotOptions()
                .setPath(SCREENSHOTS.resolve(name + ".png"))
                .setFullPage(true));
    }

    /** Scripts that failed, and what the page's Content-Security-Policy has blocked. */
    List<String> errors() {
        return errors;
    }

    @Override
    public void close() {
        context.close();
    }
}
