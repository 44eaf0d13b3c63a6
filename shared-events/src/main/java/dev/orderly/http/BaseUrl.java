package dev.orderly.http;

import io.quarkus.runtime.PreventFurtherStepsException;
import java.net.URI;
import java.net.URISyntaxException;

/** The URL under which another system has its API, perhaps below a path. */
public final class BaseUrl {

    private final String url;

    /**
     * @param setting names it in the error, which does not repeat the value: it may hold a password
     * @throws PreventFurtherStepsException when it is invalid; at the start of the application, this ends
     *     it with the message as its only line
     */
    public BaseUrl(String setting, String url) {
        if (!isValid(url)) {
            throw new PreventFurtherStepsException(
                    setting + " must be an http or https URL without user, query and fragment, such as"
                            + " https://host.example/path",
                    1);
        }
        this.url = url.endsWith("/") ? url : url + "/";
    }

    private static boolean isValid(String url) {
        try {
            var uri = new URI(url);
            return ("http".equalsIgnoreCase(uri.getScheme()) || "https".equalsIgnoreCase(uri.getScheme()))
                    && uri.getHost() != null
                    && uri.getPort() != 0
                    && uri.getPort() <= 65_535
                    && uri.getRawUserInfo() == null
                    && uri.getRawQuery() == null
                    && uri.getRawFragment() == null;
        } catch (URISyntaxException _) {
            return false;
        }
    }

    /** @param path relative to the URL, so without a slash before it */
    public URI resolve(String path) {
        return URI.create(url + path);
    }
}
