// Sends events with Java's own HTTP client as it is made by default: it offers HTTP/2 (`Upgrade: h2c`) in its first
// request. Arguments: the address of the gateway, a token, and files with an event each. Out: a status a line.
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;

class Send {
    public static void main(String[] given) throws Exception {
        HttpClient client = HttpClient.newHttpClient();
        for (int place = 2; place < given.length; place++) {
            HttpRequest request = HttpRequest.newBuilder(URI.create(given[0] + "/v1/events"))
                .timeout(Duration.ofSeconds(30))
                .header("Authorization", "Bearer " + given[1])
                .header("Content-Type", "application/cloudevents+json")
                .POST(HttpRequest.BodyPublishers.ofFile(Path.of(given[place])))
                .build();
            System.out.println(client.send(request, HttpResponse.BodyHandlers.ofString()).statusCode());
        }
    }
}
