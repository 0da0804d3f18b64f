package alarm

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strconv"
	"time"
)

// signature is what a platform wants to be shown of the secret, at the place
// where it wants it.
type signature struct {
	timestamp string
	inBody    string            // Lark
	inQuery   map[string]string // DingTalk
}

// sign makes the signature of now. Without a secret it is empty, but for the
// time.
func (w *Webhook) sign(now time.Time) signature {
	s := signature{timestamp: strconv.FormatInt(now.Unix(), 10)}
	if w.cfg.Secret == "" {
		return s
	}
	switch w.cfg.Platform {
	case Lark:
		s.inBody = larkSign(s.timestamp, w.cfg.Secret)
	case DingTalk:
		s.timestamp = strconv.FormatInt(now.UnixMilli(), 10)
		s.inQuery = map[string]string{"timestamp": s.timestamp, "sign": dingTalkSign(s.timestamp, w.cfg.Secret)}
	}
	return s
}

// larkSign is that of open.larksuite.com, "Add secure verification": the time
// and the secret are the key, and nothing is the message.
func larkSign(timestamp, secret string) string {
	return base64.StdEncoding.EncodeToString(hmacSHA256(timestamp+"\n"+secret, ""))
}

// dingTalkSign is that of open.dingtalk.com, "Customize robot security
// settings": the secret is the key, the time and the secret are the message.
func dingTalkSign(timestamp, secret string) string {
	return base64.StdEncoding.EncodeToString(hmacSHA256(secret, timestamp+"\n"+secret))
}

// signBody signs a plain webhook, so that the receiver knows who sent it, and
// can refuse what is old.
func signBody(h http.Header, secret, timestamp string, body []byte) {
	h.Set("X-Lastcall-Timestamp", timestamp)
	h.Set("X-Lastcall-Signature", "sha256="+hex.EncodeToString(hmacSHA256(secret, timestamp+"."+string(body))))
}

func hmacSHA256(key, message string) []byte {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(message))
	return mac.Sum(nil)
}
