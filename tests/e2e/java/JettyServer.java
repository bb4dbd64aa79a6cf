// SPDX-License-Identifier: Apache-2.0
// Jetty on 127.0.0.1 with one handler that says hello.
//
//     JettyServer PORT IDLE_MS

import java.io.IOException;
import javax.servlet.http.HttpServletRequest;
import javax.servlet.http.HttpServletResponse;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.handler.AbstractHandler;

public final class JettyServer {
	private static final class Hello extends AbstractHandler {
		@Override
		public void handle(String target, Request request, HttpServletRequest servletRequest,
		                   HttpServletResponse response) throws IOException {
			request.getInputStream().readAllBytes();
			byte[] hello = "hello\n".getBytes();
			response.setContentLength(hello.length);
			response.getOutputStream().write(hello);
			request.setHandled(true);
		}
	}

	public static void main(String[] arguments) throws Exception {
		Server server = new Server();
		ServerConnector connector = new ServerConnector(server);
		connector.setHost("127.0.0.1");
		connector.setPort(Integer.parseInt(arguments[0]));
		connector.setIdleTimeout(Long.parseLong(arguments[1]));
		server.addConnector(connector);
		server.setHandler(new Hello());
		server.start();
		server.join();
	}
}
