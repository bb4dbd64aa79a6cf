// SPDX-License-Identifier: Apache-2.0
// Apache HttpClient with a connection pool. Each line of standard input is a method, "GET" or "POST"; each
// request is answered by one JSON object on standard output. Ends with its input.
//
//     PooledClient URL [--no-retry] [--validate-after MS] [--evict-idle MS] [--half-of-timeout] [--tls PROTOCOL]

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.http.HttpResponse;
import org.apache.http.client.methods.CloseableHttpResponse;
import org.apache.http.client.methods.HttpGet;
import org.apache.http.client.methods.HttpPost;
import org.apache.http.client.methods.HttpUriRequest;
import org.apache.http.config.RegistryBuilder;
import org.apache.http.conn.socket.ConnectionSocketFactory;
import org.apache.http.conn.socket.PlainConnectionSocketFactory;
import org.apache.http.conn.ssl.NoopHostnameVerifier;
import org.apache.http.conn.ssl.SSLConnectionSocketFactory;
import org.apache.http.entity.StringEntity;
import org.apache.http.impl.client.CloseableHttpClient;
import org.apache.http.impl.client.DefaultConnectionKeepAliveStrategy;
import org.apache.http.impl.client.HttpClientBuilder;
import org.apache.http.impl.client.HttpClients;
import org.apache.http.impl.conn.PoolingHttpClientConnectionManager;
import org.apache.http.protocol.HttpContext;
import org.apache.http.ssl.SSLContexts;
import org.apache.http.util.EntityUtils;

public final class PooledClient {
	private static final class HalfOfTimeout extends DefaultConnectionKeepAliveStrategy {
		@Override
		public long getKeepAliveDuration(HttpResponse response, HttpContext context) {
			return super.getKeepAliveDuration(response, context) / 2;
		}
	}

	private final List<String> options;
	private final String url;
	private final CloseableHttpClient client;

	private PooledClient(String[] arguments) throws Exception {
		url = arguments[0];
		options = Arrays.asList(arguments).subList(1, arguments.length);
		HttpClientBuilder builder = HttpClients.custom().setConnectionManager(pool());
		if (options.contains("--no-retry")) {
			builder.disableAutomaticRetries();
		}
		if (options.contains("--evict-idle")) {
			builder.evictIdleConnections(Long.parseLong(valueOf("--evict-idle")), TimeUnit.MILLISECONDS);
		}
		if (options.contains("--half-of-timeout")) {
			builder.setKeepAliveStrategy(new HalfOfTimeout());
		}
		client = builder.build();
	}

	private String valueOf(String option) {
		return options.get(options.indexOf(option) + 1);
	}

	private PoolingHttpClientConnectionManager pool() throws Exception {
		RegistryBuilder<ConnectionSocketFactory> schemes = RegistryBuilder.create();
		schemes.register("http", PlainConnectionSocketFactory.INSTANCE);
		if (options.contains("--tls")) {
			schemes.register("https", new SSLConnectionSocketFactory(
				SSLContexts.custom().loadTrustMaterial((chain, type) -> true).build(),
				new String[] {valueOf("--tls")}, null, NoopHostnameVerifier.INSTANCE));
		}
		PoolingHttpClientConnectionManager pool = new PoolingHttpClientConnectionManager(schemes.build());
		if (options.contains("--validate-after")) {
			pool.setValidateAfterInactivity(Integer.parseInt(valueOf("--validate-after")));
		}
		return pool;
	}

	private static String quoted(String text) {
		return '"' + String.valueOf(text).replace("\\", "\\\\").replace("\"", "\\\"") + '"';
	}

	private HttpUriRequest request(String method) throws IOException {
		if (method.equals("GET")) {
			return new HttpGet(url);
		}
		HttpPost post = new HttpPost(url);
		post.setEntity(new StringEntity("order=1"));
		return post;
	}

	private String outcome(String method) {
		try (CloseableHttpResponse response = client.execute(request(method))) {
			EntityUtils.consume(response.getEntity());
			return "{\"status\":" + response.getStatusLine().getStatusCode() + "}";
		} catch (IOException error) {
			return "{\"error\":" + quoted(error.toString()) + "}";
		}
	}

	public static void main(String[] arguments) throws Exception {
		PooledClient program = new PooledClient(arguments);
		BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
		for (String method = input.readLine(); method != null; method = input.readLine()) {
			System.out.println(program.outcome(method));
		}
		program.client.close();
	}
}
