// gVisor's netstack on the device tun0: what who writes Go would take. A folder over HTTP on port 80, and on port 5201
// a sink.
//
// usage: gvisor ADDRESS FOLDER
package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/link/fdbased"
	"gvisor.dev/gvisor/pkg/tcpip/link/tun"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
)

const (
	nic    = 1
	buffer = 4 << 20 // octets, either way
)

func check(e tcpip.Error) {
	if e != nil {
		log.Fatal(e)
	}
}

func newStack(address tcpip.Address) *stack.Stack {
	fd, err := tun.Open("tun0")
	if err != nil {
		log.Fatal(err)
	}
	link, err := fdbased.New(&fdbased.Options{FDs: []int{fd}, MTU: 1500, RXChecksumOffload: true})
	if err != nil {
		log.Fatal(err)
	}
	s := stack.New(stack.Options{
		NetworkProtocols:   []stack.NetworkProtocolFactory{ipv4.NewProtocol},
		TransportProtocols: []stack.TransportProtocolFactory{tcp.NewProtocol},
	})
	sack := tcpip.TCPSACKEnabled(true)
	receive := tcpip.TCPReceiveBufferSizeRangeOption{Min: 4096, Default: buffer, Max: 2 * buffer}
	send := tcpip.TCPSendBufferSizeRangeOption{Min: 4096, Default: buffer, Max: 2 * buffer}
	check(s.SetTransportProtocolOption(tcp.ProtocolNumber, &sack))
	check(s.SetTransportProtocolOption(tcp.ProtocolNumber, &receive))
	check(s.SetTransportProtocolOption(tcp.ProtocolNumber, &send))
	check(s.CreateNIC(nic, link))
	check(s.AddProtocolAddress(nic, tcpip.ProtocolAddress{
		Protocol: ipv4.ProtocolNumber, AddressWithPrefix: address.WithPrefix()}, stack.AddressProperties{}))
	s.SetRouteTable([]tcpip.Route{{Destination: header.IPv4EmptySubnet, NIC: nic}})
	return s
}

func listen(s *stack.Stack, address tcpip.Address, port uint16) net.Listener {
	l, err := gonet.ListenTCP(s, tcpip.FullAddress{NIC: nic, Addr: address, Port: port}, ipv4.ProtocolNumber)
	if err != nil {
		log.Fatal(err)
	}
	return l
}

func drain(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go io.Copy(io.Discard, c)
	}
}

// Small files from memory, which is kind to it: http.FileServer opens the file for each request.
func serve(folder string) http.Handler {
	mux := http.NewServeMux()
	small, err := os.ReadFile(filepath.Join(folder, "kilobyte"))
	if err != nil {
		log.Fatal(err)
	}
	mux.HandleFunc("/kilobyte", func(w http.ResponseWriter, r *http.Request) { w.Write(small) })
	mux.Handle("/", http.FileServer(http.Dir(folder)))
	return mux
}

func main() {
	address := tcpip.Address(net.ParseIP(os.Args[1]).To4())
	s := newStack(address)
	go drain(listen(s, address, 5201))
	web := listen(s, address, 80)
	fmt.Println("ready")
	log.Fatal(http.Serve(web, serve(os.Args[2])))
}
