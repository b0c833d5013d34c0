package peer

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

// row is a line of /proc/net/tcp as the kernel of this machine writes it.
func row(own, connected string, uid, inode int) string {
	const format = "   0: %s %s 01 00000000:00000000 00:00000000 00000000 %5d        0 %d 1 0 20 4 30 10 -1"
	return fmt.Sprintf(format,
		column(own), column(connected), uid, inode)
}

func column(text string) string {
	p := netip.MustParseAddrPort(text)
	data := p.Addr().AsSlice()
	for i := 0; i < len(data); i += 4 {
		binary.BigEndian.PutUint32(data[i:], binary.NativeEndian.Uint32(data[i:]))
	}
	return fmt.Sprintf("%s:%04X", strings.ToUpper(hex.EncodeToString(data)), p.Port())
}

func TestTableTellsTheOwner(t *testing.T) {
	t.Parallel()
	table := "  sl  local_address rem_address   st ...\n" + strings.Join([]string{
		row("127.0.0.1:40000", "127.0.0.1:8080", 1000, 71),
		row("127.0.0.1:40001", "127.0.0.1:8080", 1001, 72),
		row("127.0.0.1:8080", "127.0.0.1:40001", 0, 73), // the server's end
		row("127.0.0.1:40002", "127.0.0.1:8080", 0, 0),  // closed by its owner
		row("[::1]:40003", "[::1]:8080", 1003, 74),
		row("[::ffff:127.0.0.1]:40004", "[::ffff:127.0.0.1]:8080", 1004, 75),
		row("127.0.0.1:40005", "127.0.0.2:8080", 1005, 76), // connected elsewhere
	}, "\n") + "\n"
	cases := []struct {
		own, connected string
		uid            int
		err            error
	}{
		{"127.0.0.1:40000", "127.0.0.1:8080", 1000, nil},
		{"127.0.0.1:40001", "127.0.0.1:8080", 1001, nil},
		{"127.0.0.1:40002", "127.0.0.1:8080", 0, ErrGone},
		{"[::1]:40003", "[::1]:8080", 1003, nil},
		{"127.0.0.1:40004", "127.0.0.1:8080", 1004, nil},
		{"127.0.0.1:40005", "127.0.0.1:8080", 0, ErrGone},
		{"127.0.0.1:40006", "127.0.0.1:8080", 0, ErrGone},
	}
	for _, c := range cases {
		own, connected := netip.MustParseAddrPort(c.own), netip.MustParseAddrPort(c.connected)
		s, err := find(strings.NewReader(table), own, connected)
		if s.uid != c.uid || !errors.Is(err, c.err) {
			t.Errorf("%s is owned by %d, %v", c.own, s.uid, err)
		}
	}
}

func TestMalformedTableIsAnError(t *testing.T) {
	t.Parallel()
	own := netip.MustParseAddrPort("127.0.0.1:1")
	for _, bad := range []string{
		"0: 0100007F 0100007F:1F90 01 a b c 0 0 1",
		"0: 0100007F:0001 zz00007F:1F90 01 a b c 0 0 1",
		"0: 0100007F:00001 0100007F:1F90 01 a b c 0 0 1 7",
		"0: 01007F:0001 0100007F:1F90 01 a b c 0 0 1",
		"0: 0100007F:0001 0100007F:0001 x a b c 0 0 1",
		"0: 0100007F:0001 0100007F:0001 01 a b c x 0 1",
	} {
		s, err := find(strings.NewReader("header\n"+bad+"\n"), own, own)
		if err == nil {
			t.Errorf("%q gave %+v", bad, s)
		}
	}
}
