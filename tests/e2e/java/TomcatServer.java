// SPDX-License-Identifier: Apache-2.0
// Tomcat on 127.0.0.1 with one valve that reads what it gets and says hello.
//
//     TomcatServer PORT KEEP_ALIVE_MS FOLDER [--announce] [--late] [--tls PROTOCOL CERTIFICATE KEY]
//
// With --announce responses tell the timeout, in a header "Keep-Alive". With --late its threads get to their work a
// little later, as on a busy machine: when the poller is surely waiting again, so that close() follows a second after
// the FIN (a channel that a selector knows is shut down, and closed by the next select). With --tls it speaks that
// protocol alone ("TLSv1.2", "TLSv1.3"); certificate and key are PEM files.

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.apache.catalina.connector.Connector;
import org.apache.catalina.connector.Request;
import org.apache.catalina.connector.Response;
import org.apache.catalina.startup.Tomcat;
import org.apache.catalina.valves.ValveBase;
import org.apache.tomcat.util.net.SSLHostConfig;
import org.apache.tomcat.util.net.SSLHostConfigCertificate;

public final class TomcatServer {
	/** A servlet would need annotation classes that are in no package that Tomcat's depends on. */
	private static final class Hello extends ValveBase {
		@Override
		public void invoke(Request request, Response response) throws IOException {
			request.getInputStream().readAllBytes();
			byte[] hello = "hello\n".getBytes();
			response.setContentLength(hello.length);
			response.getOutputStream().write(hello);
		}
	}

	private static final class LateThreads extends ThreadPoolExecutor {
		LateThreads() {
			super(4, 4, 1, TimeUnit.MINUTES, new LinkedBlockingQueue<>());
		}

		@Override
		protected void beforeExecute(Thread thread, Runnable task) {
			LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
		}
	}

	private static void speakTls(Connector connector, String protocol, String certificate, String key) {
		SSLHostConfig host = new SSLHostConfig();
		host.setProtocols(protocol);
		SSLHostConfigCertificate files = new SSLHostConfigCertificate(host, SSLHostConfigCertificate.Type.UNDEFINED);
		files.setCertificateFile(certificate);
		files.setCertificateKeyFile(key);
		host.addCertificate(files);
		connector.addSslHostConfig(host);
		connector.setSecure(true);
		connector.setScheme("https");
		connector.setProperty("SSLEnabled", "true");
	}

	public static void main(String[] arguments) throws Exception {
		Tomcat tomcat = new Tomcat();
		tomcat.setBaseDir(arguments[2]);
		Connector connector = new Connector();
		connector.setPort(Integer.parseInt(arguments[0]));
		connector.setProperty("address", "127.0.0.1");
		connector.setProperty("keepAliveTimeout", arguments[1]);
		List<String> options = Arrays.asList(arguments).subList(3, arguments.length);
		connector.setProperty("useKeepAliveResponseHeader", String.valueOf(options.contains("--announce")));
		if (options.contains("--late")) {
			connector.getProtocolHandler().setExecutor(new LateThreads());
		}
		int tls = options.indexOf("--tls");
		if (tls >= 0) {
			speakTls(connector, options.get(tls + 1), options.get(tls + 2), options.get(tls + 3));
		}
		tomcat.setConnector(connector);
		tomcat.getEngine().getPipeline().addValve(new Hello());
		tomcat.start();
		tomcat.getServer().await();
	}
}
