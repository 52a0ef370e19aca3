// How a Java program calls a panel. Its HttpClient offers HTTP/2 on a plain connection with every request:
// "Connection: Upgrade, HTTP2-Settings". Usage: java Panel.java form URL < CALLS, one form a line; one answer a line.
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Scanner;

public class Panel {
    public static void main(String[] arguments) throws Exception {
        HttpClient client = HttpClient.newHttpClient();
        Scanner calls = new Scanner(System.in);
        while (calls.hasNextLine()) {
            HttpRequest request = HttpRequest.newBuilder(URI.create(arguments[1]))
                .header("Content-Type", "application/x-www-form-urlencoded")
                .POST(HttpRequest.BodyPublishers.ofString(calls.nextLine()))
                .build();
            HttpResponse<String> answer = client.send(request, HttpResponse.BodyHandlers.ofString());
            System.out.println(answer.statusCode() + " " + answer.body());
        }
    }
}
