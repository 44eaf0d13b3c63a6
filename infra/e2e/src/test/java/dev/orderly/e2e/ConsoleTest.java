package dev.orderly.e2e;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.microsoft.playwright.Browser;
import com.microsoft.playwright.BrowserType;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.Playwright;
import com.microsoft.playwright.assertions.PlaywrightAssertions;
import com.microsoft.playwright.options.AriaRole;
import com.microsoft.playwright.options.ColorScheme;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The console as its visitors use it: in Chromium, on the whole system, by clicks. */
@EndToEnd
class ConsoleTest {

    private static final Path CHROMIUM = Path.of("/usr/bin/chromium");
    private static final int MAX_WAIT_MS = 30_000;
    private static final Map<String, String> MARKED = Map.of("X-Requested-By", "console");
    private static final Duration RECOVERY = Duration.ofSeconds(60);
    private static final Pattern CODE = Pattern.compile("\\b\\d{6}\\b");
    private static final List<String> PAGES =
            List.of("shop", "join", "sale", "orders", "map", "lag", "parked", "faults", "lessons", "lessons/inbox");
    private static final List<String> UNDECIDED = List.of("PENDING", "RESERVED", "OUT_OF_STOCK", "PAID", "DECLINED");

    private static Playwright playwright;
    private static Browser browser;

    @BeforeAll
    static void open_the_browser_and_fill_the_shelf() {
        assumeTrue(Files.isExecutable(CHROMIUM), "skipped: no Chromium at " + CHROMIUM + " (apt install chromium)");
        playwright = Playwright.create(
                new Playwright.CreateOptions().setEnv(Map.of("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1")));
        browser = playwright
                .chromium()
                .launch(new BrowserType.LaunchOptions()
                        .setExecutablePath(CHROMIUM)
                        .setArgs(List.of("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")));
        PlaywrightAssertions.setDefaultAssertionTimeout(MAX_WAIT_MS);
        // The platform does not wait for it.
        await().atMost(RECOVERY)
                .ignoreExceptions()
                .until(() -> RunningSystem.platform().part("console").isReady());
        try (var carl = new Visitor(browser).logIn("carl")) {
            carl.button("Fill the shelf").click();
            assertThat(carl.page.locator(".toast")).containsText("The shelf is filled.");
        }
    }

    @AfterAll
    static void close_the_browser() {
        if (playwright != null) {
            playwright.close();
        }
    }

    @Test
    void an_order_is_followed_live_until_it_is_confirmed_and_a_double_click_places_one() {
        try (var ann = new Visitor(browser).logIn("ann")) {
            int before = ordersOf(ann).size();
            ann.button("Add: Mug").click();
            ann.button("Place order").dblclick();

            assertThat(ann.orderStatus()).hasText("Confirmed");
            assertThat(ann.main()).containsText("Stock reserved");
            assertThat(ann.page.locator("svg.sequence")).containsText("OrderConfirmed");
            assertThat(ann.main()).containsText("partition");
            ann.screenshot("order-1280");
            ann.page
                    .getByRole(AriaRole.TAB, new Page.GetByRoleOptions().setName("Stages"))
                    .click();
            assertThat(ann.main()).containsText("payment-service reacts to StockReserved");
            assertThat(ordersOf(ann)).hasSize(before + 1);
            assertThat(ann.errors()).isEmpty();
        }
    }

    @Test
    void an_order_is_cancelled_while_its_card_is_slow() {
        try (var ann = new Visitor(browser, Visitor.NARROW, ColorScheme.LIGHT).logIn("ann")) {
            placeByCard(ann, "slow_20s");
            ann.button("Cancel order").click();

            assertThat(ann.orderStatus()).hasText("Cancelled");
            assertThat(ann.main()).containsText("cancelled by the customer");
        }
    }

    @Test
    void a_declined_card_rejects_the_order() {
        try (var bob = new Visitor(browser).logIn("bob")) {
            placeByCard(bob, "declined");

            assertThat(bob.orderStatus()).hasText("Rejected");
            assertThat(bob.main()).containsText("card declined");
        }
    }

    private static void placeByCard(Visitor visitor, String behaviour) {
        visitor.button("Add: Book").click();
        visitor.page.getByLabel("Test card").check();
        visitor.page.getByLabel("How the card behaves").selectOption(behaviour);
        visitor.button("Place order").click();
    }

    @Test
    void the_last_piece_of_a_flash_sale_goes_to_who_came_first() {
        String sale;
        try (var carl = new Visitor(browser).logIn("carl").open("sale")) {
            carl.page.getByLabel("Pieces").fill("1");
            carl.page.getByLabel("Opens in (seconds)").fill("2");
            carl.page.getByLabel("Product").selectOption("lamp");
            carl.button("Open a sale").click();
            assertThat(carl.page.locator(".countdown")).isVisible();
            sale = carl.page.url().replaceAll(".*#/", "");
        }
        try (var ann = new Visitor(browser, Visitor.NARROW, ColorScheme.DARK).logIn("ann");
                var bob = new Visitor(browser).logIn("bob")) {
            ann.open(sale).button("Get one").click();
            assertThat(ann.main()).containsText("You got one.");
            bob.open(sale);
            assertThat(bob.main()).containsText("Sold out");
            ann.screenshot("sale-ticket-390");

            ann.page.getByText("See your order").click();
            assertThat(ann.orderStatus()).hasText("Confirmed");
        }
    }

    @Test
    void a_person_registers_verifies_their_phone_and_has_their_data_erased() {
        try (var kim = new Visitor(browser).open("join")) {
            kim.page.getByLabel("Name").fill("Kim Example");
            kim.button("Register").click();
            var sms = kim.page.locator(".message:has(.tag:text-is('SMS'))");
            assertThat(sms).isVisible();
            assertThat(kim.page.locator(".messages")).containsText("Mail");
            var code = CODE.matcher(sms.textContent());
            assertThat(code.find()).isTrue();
            kim.page.getByLabel("Code from the SMS").fill(code.group());
            kim.button("Verify").click();
            assertThat(kim.main()).containsText("Your phone is verified.");

            kim.logIn("olga").open("join").button("Erase my data").click();
            assertThat(kim.main()).containsText("Your data is erased.");
        }
    }

    @Test
    void a_poison_message_is_parked_redriven_and_discarded() {
        try (var olga = new Visitor(browser).logIn("olga")) {
            olga.inject("poison");
            olga.open("parked");
            assertThat(olga.page.locator(".parked").first()).isVisible();
            olga.page.locator(".parked summary").first().click();
            olga.screenshot("parked-event-1280");

            decide(olga, "Redrive");
            assertThat(olga.page.locator(".toast")).containsText("one event tried again");
            while (olga.page.locator(".parked").first().isVisible()) {
                int groups = olga.page.locator(".parked").count();
                decide(olga, "Discard");
                assertThat(olga.page.locator(".parked")).hasCount(groups - 1);
            }
            assertThat(olga.main()).containsText("Nothing is parked");
            assertThat(olga.main()).containsText("olga discarded");
        }
    }

    private static void decide(Visitor olga, String action) {
        olga.page
                .locator(".parked .section-head button:text('" + action + "')")
                .first()
                .click();
        olga.page.getByLabel("Why").fill("a test sent it");
        olga.page.locator("dialog [data-confirm]").click();
    }

    @Test
    void orders_survive_what_an_operator_breaks_by_buttons() {
        try (var olga = new Visitor(browser).logIn("olga")) {
            var broken = broken(olga);
            try {
                olga.open("faults").page.locator("#rate").fill("10");
                for (var fault : List.of("kill-kafka-2", "rewind-inventory-consumer-group", "lose-slot-payments")) {
                    awaitPlaced(olga, 10);
                    olga.inject(fault);
                }
                awaitPlaced(olga, 20);
            } finally {
                olga.ask("POST", "/api/load", MARKED, Map.of("ratePerSecond", 0));
            }

            await().atMost(RECOVERY).until(() -> undecided(olga) == 0);
            await().atMost(RECOVERY).until(() -> broken.containsAll(broken(olga)));
            assertThat(olga.page.locator(".promises [role=status]")).isVisible();
            olga.screenshot("faults-after-broker-1280");
            for (var part : List.of("kafka-2", "inventory-service")) {
                await().atMost(RECOVERY)
                        .until(() -> RunningSystem.platform().part(part).isReady());
            }
        }
    }

    private static void awaitPlaced(Visitor olga, int more) {
        int before = olga.get("/api/load").path("placed").asInt();
        await().atMost(RECOVERY)
                .until(() -> olga.get("/api/load").path("placed").asInt() >= before + more);
    }

    private static Set<String> broken(Visitor olga) {
        return StreamSupport.stream(olga.get("/api/checks").spliterator(), false)
                .filter(check -> check.path("state").asText().equals("broken"))
                .map(check -> check.path("id").asText())
                .collect(Collectors.toSet());
    }

    private static int undecided(Visitor olga) {
        return UNDECIDED.stream()
                .mapToInt(status -> olga.get("/api/orders/orders?limit=1&status=" + status)
                        .path("orders")
                        .size())
                .sum();
    }

    @Test
    void a_role_does_what_it_may_and_nothing_else() {
        try (var anyone = new Visitor(browser);
                var ann = new Visitor(browser).logIn("ann");
                var olga = new Visitor(browser).logIn("olga")) {
            for (var visitor : List.of(anyone, ann)) {
                visitor.open("parked");
                assertThat(visitor.main()).containsText("This is for operators.");
                visitor.open("faults");
                assertThat(visitor.page.locator("[data-kind]")).hasCount(0);
                assertThat(visitor.ask("POST", "/api/faults/kill-kafka-1", MARKED, null)
                                .status())
                        .isIn(401, 403);
                assertThat(visitor.ask("GET", "/api/orders/parked-events", Map.of(), null)
                                .status())
                        .isIn(401, 403);
            }
            var stranger = Map.of("customerId", UUID.randomUUID().toString());
            assertThat(olga.ask("POST", "/api/orders/orders", Map.of(), stranger)
                            .status())
                    .as("a request that another site's page could send")
                    .isEqualTo(403);
        }
    }

    /** Colours and layout do not depend on each other: two of the four combinations see all of both. */
    @Test
    void every_page_is_readable_by_all_wide_and_light_as_narrow_and_dark() {
        var problems = new ArrayList<String>();
        readPages(Visitor.WIDE, ColorScheme.LIGHT, problems);
        readPages(Visitor.NARROW, ColorScheme.DARK, problems);
        assertThat(problems).isEmpty();
    }

    private static void readPages(int width, ColorScheme scheme, List<String> problems) {
        try (var olga = new Visitor(browser, width, scheme).logIn("olga")) {
            for (var name : PAGES) {
                var shot = name.replace('/', '-') + "-" + width;
                olga.open(name);
                assertThat(olga.page.locator(".loading")).hasCount(0);
                olga.screenshot(shot);
                olga.accessibilityProblems().forEach(problem -> problems.add(shot + ": " + problem));
                if (olga.overflow() > 0) {
                    problems.add(shot + ": wider than the screen by " + olga.overflow());
                }
            }
            olga.errors().forEach(error -> problems.add(width + ": " + error));
        }
    }

    private static List<JsonNode> ordersOf(Visitor visitor) {
        return StreamSupport.stream(
                        visitor.get("/api/orders/orders?limit=100")
                                .path("orders")
                                .spliterator(),
                        false)
                .toList();
    }
}
